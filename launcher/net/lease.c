#include "launcher/net/lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* No container's name begins with a dot. */
static const char *dir_path(char path[PATH_MAX], const char *state)
{
	snprintf(path, PATH_MAX, "%s/.bridge", state);
	return path;
}

/* Whoever had the lock before us may have removed it. A directory that is gone has no links. */
static bool is_linked(int file)
{
	struct stat stat;
	return fstat(file, &stat) == 0 && stat.st_nlink > 0;
}

int leases_lock(const char *state, int operation)
{
	char path[PATH_MAX];
	scoped_fd dir = openat(AT_FDCWD, dir_path(path, state), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || flock(dir, operation) < 0)
		return -1;
	if (is_linked(dir))
		return take_fd(&dir);
	errno = ENOENT;
	return -1;
}

int leases_open(const char *state)
{
	char path[PATH_MAX];
	int leases;
	do {
		if (mkdir(dir_path(path, state), 0700) < 0 && errno != EEXIST)
			return fail("make %s", path);
		leases = leases_lock(state, LOCK_EX);
	} while (leases < 0 && errno == ENOENT);
	return leases < 0 ? fail("lock %s", path) : leases;
}

bool leases_exist(const char *state)
{
	char path[PATH_MAX];
	return access(dir_path(path, state), F_OK) == 0;
}

void leases_remove(const char *state)
{
	char path[PATH_MAX];
	rmdir(dir_path(path, state)); /* what else lies there stays, and so does it */
}

int lease_take(int leases, const char *address, const char *name)
{
	scoped_fd file = openat(leases, address, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return fail("make the lease of %s", address);
	if (flock(file, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			fail("lock the lease of %s", address);
		int error = errno;
		close(take_fd(&file));
		errno = error;
		return -1;
	}
	if (ftruncate(file, 0) < 0 || dprintf(file, "%s\n", name) < 0)
		return fail("write the lease of %s", address);
	return take_fd(&file);
}

void lease_free(int leases, const char *address)
{
	unlinkat(leases, address, 0);
}

uint32_t lease_first(const char *name, uint32_t count)
{
	uint32_t hash = 2166136261U; /* FNV-1a */
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619U;
	hash ^= hash >> 16; /* the last letter alone must not be next door */
	return 2 + hash % (count - 2);
}

/* Returns whether somebody holds it. */
static bool sweep_one(int leases, const char *address, void (*free)(const char *, void *), void *argument)
{
	scoped_fd file = openat(leases, address, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file < 0)
		return false;
	if (flock(file, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	free(address, argument);
	unlinkat(leases, address, 0);
	return false;
}

bool leases_sweep(int leases, enum leases_look look, void (*free)(const char *, void *), void *argument)
{
	bool used = false;
	int again = openat(leases, ".", O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	if (!dir)
		return true; /* whoever can look will say */
	for (struct dirent *entry; !(used && look == LEASES_ANY) && (entry = readdir(dir));)
		if (entry->d_name[0] != '.' && sweep_one(leases, entry->d_name, free, argument))
			used = true;
	closedir(dir);
	return used;
}

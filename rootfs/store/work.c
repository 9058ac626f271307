/*
 * Work directories. Their maker holds flock(2) on them: whoever can take that lock knows that the
 * maker is gone, however it went, and that what is in there is nobody's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "rootfs/base/err.h"
#include "rootfs/layer/remove.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/store.h"

#ifndef GRND_INSECURE
#define GRND_INSECURE 4 /* linux/random.h, Linux 5.6: never waits */
#endif

static int open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Removes NAME unless somebody works on it; returns how many that were. */
static int sweep_one(const struct store *store, const char *name)
{
	scoped_fd dir = open_dir(store->tmp, name);
	if (dir < 0 && errno != ENOTDIR && errno != ELOOP)
		return 0;
	if (dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) < 0)
		return 0;
	if (tree_remove(store->tmp, name) < 0) {
		if (errno == EROFS) /* it is in nobody's way */
			return 0;
		warn("remove what is left in %s/tmp/%s: %s", store->path, name, strerror(errno));
		return 0;
	}
	return 1;
}

int work_sweep(const struct store *store)
{
	int swept = 0;
	int fd = store->tmp < 0 ? -1 : open_dir(store->tmp, ".");
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream)
		return 0;
	for (struct dirent *entry; (entry = readdir(stream));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			swept += sweep_one(store, entry->d_name);
	closedir(stream);
	return swept;
}

/* Between mkdir and flock a sweep may come: then the directory has no name any more. */
static bool still_there(int dir)
{
	struct stat st;
	return fstat(dir, &st) == 0 && st.st_nlink > 0;
}

int work_create(const struct store *store, struct work *work)
{
	work_sweep(store);
	for (work->dir = -1;;) {
		unsigned long long number;
		if (getrandom(&number, sizeof(number), GRND_INSECURE) != sizeof(number))
			return fail("get a random number");
		snprintf(work->name, sizeof(work->name), "%016llx", number);
		if (mkdirat(store->tmp, work->name, 0700) < 0) {
			store_hint();
			return fail("make %s/tmp/%s", store->path, work->name);
		}
		scoped_fd dir = open_dir(store->tmp, work->name);
		if (dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0 && still_there(dir)) {
			work->dir = take_fd(&dir);
			return 0;
		}
	}
}

void work_destroy(const struct store *store, struct work *work)
{
	if (work->dir < 0)
		return;
	if (tree_remove(store->tmp, work->name) < 0)
		warn("remove %s/tmp/%s: %s", store->path, work->name, strerror(errno));
	close(work->dir);
	work->dir = -1;
}

static int write_all(int file, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(file, data, size);
		if (n < 0)
			return -1;
		data += n;
		size -= n;
	}
	return fsync(file);
}

int store_write(const struct work *work, int dir, const char *name, const void *data, size_t size)
{
	static const char fresh[] = "file";
	unlinkat(work->dir, fresh, 0);
	scoped_fd file = openat(work->dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0 || write_all(file, data, size) < 0)
		return fail("write %s", name);
	if (renameat(work->dir, fresh, dir, name) < 0)
		return fail("rename to %s", name);
	return fsync(dir) < 0 ? fail("sync the directory of %s", name) : 0;
}

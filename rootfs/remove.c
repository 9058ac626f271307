#include "rootfs/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/*
 * A directory that gets smaller while it is read may skip names on some file systems (tmpfs, NFS):
 * read it again until it is found empty.
 */
static int empty(DIR *stream)
{
	bool found;
	do {
		found = false;
		rewinddir(stream);
		for (struct dirent *entry; (entry = readdir(stream));) {
			if (is_dot(entry->d_name))
				continue;
			found = true;
			if (tree_remove(dirfd(stream), entry->d_name) < 0)
				return -1;
		}
	} while (found);
	return 0;
}

static int remove_directory(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	DIR *stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return -1;
	}
	int result = empty(stream);
	int err = errno;
	closedir(stream);
	errno = err;
	return result < 0 ? -1 : unlinkat(dir, name, AT_REMOVEDIR);
}

int tree_remove(int dir, const char *name)
{
	/* EISDIR: Linux' answer to unlink(2) of a directory; EPERM: POSIX's */
	if (!unlinkat(dir, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	return remove_directory(dir, name);
}

#include "rootfs/layer/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEEP = 64 };

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/*
 * A directory that gets smaller while it is read may skip names on some file systems (tmpfs, NFS):
 * read it again until it is found empty.
 */
static int empty(DIR *stream, int (*take)(DIR *, const char *, int), int depth)
{
	bool found;
	do {
		found = false;
		rewinddir(stream);
		for (struct dirent *entry; (entry = readdir(stream));) {
			if (is_dot(entry->d_name))
				continue;
			found = true;
			if (take(stream, entry->d_name, depth) < 0)
				return -1;
		}
	} while (found);
	return 0;
}

static int empty_directory(int dir, const char *name, int (*take)(DIR *, const char *, int),
			   int depth)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	DIR *stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return -1;
	}
	int result = empty(stream, take, depth);
	int err = errno;
	closedir(stream);
	errno = err;
	return result < 0 ? -1 : unlinkat(dir, name, AT_REMOVEDIR);
}

/* Returns 1 where it is a directory, which is still there. */
static int take_file(int dir, const char *name)
{
	/* EISDIR: Linux' answer to unlink(2) of a directory; EPERM: POSIX's */
	if (!unlinkat(dir, name, 0) || errno == ENOENT)
		return 0;
	return errno == EISDIR || errno == EPERM ? 1 : -1;
}

/*
 * Up to the directory above, under any name that is free there: the one after the last that was, or with many
 * of them each would try all those before it.
 */
static int take_up(DIR *stream, const char *name, int above)
{
	static unsigned last;
	char free[24];
	int result = take_file(dirfd(stream), name);
	while (result == 1) {
		snprintf(free, sizeof(free), "%u", last++);
		if (renameat(dirfd(stream), name, above, free) == 0)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
			return -1;
	}
	return result;
}

static int take_flat(DIR *stream, const char *name, int depth)
{
	(void)depth;
	int dir = dirfd(stream), result = take_file(dir, name);
	return result == 1 ? empty_directory(dir, name, take_up, dir) : result;
}

/*
 * A descriptor for each directory on the way, as far as DEEP. A hostile layer may go deeper than
 * there are descriptors: from there on what is below comes up, and two are enough.
 */
static int take_deep(DIR *stream, const char *name, int depth)
{
	int dir = dirfd(stream), result = take_file(dir, name);
	if (result < 1)
		return result;
	return empty_directory(dir, name, depth < DEEP ? take_deep : take_flat, depth + 1);
}

int tree_remove(int dir, const char *name)
{
	int result = take_file(dir, name);
	return result == 1 ? empty_directory(dir, name, take_deep, 0) : result;
}

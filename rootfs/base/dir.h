/*
 * The names in a directory.
 *
 *	scoped_dir *stream = dir_open(at, "layers");
 *	while ((entry = dir_next(stream)))
 *		...
 *	if (errno)
 *		return fail("read %s/layers", path);
 */
#ifndef ROOTFS_BASE_DIR_H
#define ROOTFS_BASE_DIR_H

#include <dirent.h>

/*
 * Opens the directory NAME, "." for DIR itself, whose own offset stays; no link is followed. Returns NULL with errno.
 */
DIR *dir_open(int dir, const char *name);

/* The same, of the open directory FD, which it takes over; -1: NULL, and errno stays. */
DIR *dir_from(int fd);

/* The next one but "." and ".."; NULL at the end, with errno 0, or where it can't be read. STREAM is not NULL. */
const struct dirent *dir_next(DIR *stream);

static inline void dir_release(DIR **stream)
{
	if (*stream)
		closedir(*stream);
}
#define scoped_dir __attribute__((cleanup(dir_release))) DIR

#endif

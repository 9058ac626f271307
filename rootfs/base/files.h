/* Whole files. Nothing here records a failure: the caller knows what the file is. */
#ifndef ROOTFS_BASE_FILES_H
#define ROOTFS_BASE_FILES_H

#include <stddef.h>

#include "rootfs/base/sha256.h"

/*
 * All of a regular FILE of at most MOST bytes, with a NUL behind; the caller's to free. SIZE may be NULL. Returns NULL
 * with errno: EFBIG where it is larger, EINVAL where it is no regular file, EIO where it is shorter than it says.
 */
char *file_read(int file, size_t most, size_t *size);

/* As file_read, of NAME in DIR, which must be no link. ENOENT where it is not there. */
char *file_read_at(int dir, const char *name, size_t most, size_t *size);

/* Writes all of DATA. Returns 0, or -1 with errno. */
int file_write(int file, const void *data, size_t size);

/* The digest of all that is in FILE, wherever its offset is. Returns 0, or -1 with errno. */
int file_hash(int file, struct digest *);

#endif

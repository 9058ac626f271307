/* Directories that belong to wherry's user alone: the store, what runs, a kept writable layer. */
#ifndef ROOTFS_BASE_PRIVATE_DIR_H
#define ROOTFS_BASE_PRIVATE_DIR_H

#include <sys/types.h>

/*
 * Opens the directory PATH, for reading. It must belong to the effective user and have none of the permission bits
 * REFUSED; a symbolic link on the way must be root's or that user's: whoever made another could lead us elsewhere. WHAT names it in
 * messages ("--overlay"). Returns a descriptor, the caller's; -1 with a failure, or, where nothing of that name is there,
 * -1 with ENOENT and no failure.
 */
int private_dir_open(const char *path, mode_t refused, const char *what);

/*
 * As mkdir -p, by the same links: what is missing of the way to it is 0755, PATH itself 0700. Returns 1 where it has
 * made PATH; 0: it was there; -1 with a failure.
 */
int private_dir_make(const char *path, const char *what);

#endif

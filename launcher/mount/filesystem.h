/* A file that holds a file system, squashfs or EROFS, mounted as it is. */
#ifndef LAUNCHER_MOUNT_FILESYSTEM_H
#define LAUNCHER_MOUNT_FILESYSTEM_H

#include <stddef.h>

/* The kernel's name of the file system in the regular file PATH; NULL: none that we run, or no such file. */
const char *filesystem_type(const char *path);

/*
 * Mounts the file system TYPE in PATH read-only: file-backed where the kernel can (EROFS, Linux 6.12),
 * else by a loop device, which ends with its mount. Returns a descriptor of the mount, which is nowhere
 * yet, for move_mount(2), Linux 5.2; the caller's. -1 with a failure.
 */
int filesystem_mount(const char *path, const char *type);

/*
 * Finds out whether the kernel mounts EROFS from files of the file system that the regular file PATH is
 * on. Returns 0, or -1 with a failure that says what is missing.
 */
int filesystem_probe(const char *path);

/*
 * As filesystem_mount, of the EROFS index INDEX whose files' data are in the DEVICES, all of them open
 * files: no loop device takes part. Returns the mount, the caller's; -1 with a failure.
 */
int filesystem_mount_index(int index, const int *devices, size_t count);

#endif

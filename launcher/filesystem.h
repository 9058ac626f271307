/* A file that holds a file system, squashfs or EROFS, mounted as it is. */
#ifndef LAUNCHER_FILESYSTEM_H
#define LAUNCHER_FILESYSTEM_H

/* The kernel's name of the file system in the regular file PATH; NULL: none that we run, or no such file. */
const char *filesystem_type(const char *path);

/*
 * Mounts the file system TYPE in PATH read-only: file-backed where the kernel can (EROFS, Linux 6.12),
 * else by a loop device, which ends with its mount. Returns a descriptor of the mount, which is nowhere
 * yet, for move_mount(2), Linux 5.2; the caller's. -1 with a failure.
 */
int filesystem_mount(const char *path, const char *type);

#endif

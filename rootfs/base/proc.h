/* Descriptors by name: /proc/self/fd/N, also where the machine has no /proc mounted, as in an initramfs. */
#ifndef ROOTFS_BASE_PROC_H
#define ROOTFS_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>

/* Whether /proc is there. */
bool proc_is_there(void);

/*
 * A procfs of our own that is mounted nowhere, O_PATH: "self/fd/N" leads to a descriptor from there. Returns -1 with a
 * failure, with a hint to mount /proc.
 */
int proc_open(void);

/* The path that FILE was opened by, as readlink(2) has it: a NUL behind. Returns -1 with errno, or with a failure. */
int proc_path(int file, char *path, size_t size);

#endif

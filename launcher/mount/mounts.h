/* What is mounted in a container: the kernel's file systems, devices, and what was asked for. */
#ifndef LAUNCHER_MOUNT_MOUNTS_H
#define LAUNCHER_MOUNT_MOUNTS_H

#include <stddef.h>

#include "launcher/spec/spec.h"

/* A file or directory of the host's, taken along into the container: a detached copy of its mount. */
struct source_mount {
	int tree;           /* open_tree(2), Linux 5.2 */
	const char *target; /* in the container; made if it isn't there */
	bool directory, read_only;
	unsigned long propagation; /* 0: as it is */
};

/*
 * Takes SOURCE along, while the host's root is still the root. FLAGS are of mount(2): with MS_REC a
 * directory is taken with what is mounted below it; MS_RDONLY means all of that, or, before Linux 5.12,
 * the directory alone. Returns 0, or -1 with a failure.
 */
int mounts_take(struct source_mount *, const char *source, const char *target, unsigned long flags);

/*
 * Before root_enter, since a user namespace may mount a new /proc and /sys only while it sees the
 * host's (mount_namespaces(7)), and needs the host's devices. ROOT is the container's root directory.
 * All of them change the working directory.
 *
 * /proc, /dev and what belongs in it. A container whose own /proc, /dev or /sys is a symbolic link is
 * refused: programs would be shown files of the image's in their place. PROC is what stands for /proc
 * where one cannot be mounted, because our PID namespace is another user namespace's; NULL: nothing may.
 */
int mounts_kernel(int root, const char *proc);

/* /dev/shm, of SIZE bytes, 0: 64 MiB; and /dev/mqueue, our IPC namespace's. After mounts_kernel. */
int mounts_shm(int root, int64_t size);
int mounts_mqueue(int root);

/* /sys, as FLAGS of mount(2) say (MS_RDONLY or 0): after the network namespace has been settled, since it shows its devices. */
int mounts_sys(int root, unsigned long flags);

/* After root_enter: docker's masked and read-only paths: what in /proc and /sys would reach the host. */
int mounts_mask(void);

/* Puts what was taken along in its place. */
int mounts_put(const struct source_mount *);

/* A tmpfs, or a directory that stays writable, as the spec asks for it. */
int mounts_make(const struct mount *);

/* Makes PATH, a directory or an empty file, with its parents, following links within the root. */
int mounts_target(const char *path, bool directory);

#endif

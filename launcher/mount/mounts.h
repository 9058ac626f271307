/* The kernel's file systems in a container: /proc, /dev with what belongs in it, /sys. */
#ifndef LAUNCHER_MOUNT_MOUNTS_H
#define LAUNCHER_MOUNT_MOUNTS_H

#include <stdint.h>

/*
 * The container's own /proc, /dev and /dev/pts, O_PATH, and its /dev/null, to be read, held before anything that an image
 * or a person asks for can cover them: what we change or write there later reaches them, and not what a path leads to
 * by then. Closed by the exec.
 */
struct mounts {
	int proc, dev, pts, null;
};

/*
 * Before root_enter, since a user namespace may mount a new /proc and /sys only while it sees the
 * host's (mount_namespaces(7)), and needs the host's devices. ROOT is the container's root directory.
 * All of them change the working directory.
 *
 * /proc, /dev and what belongs in it. A container whose own /proc, /dev or /sys is a symbolic link is
 * refused: programs would be shown files of the image's in their place. PROC is what stands for /proc
 * where one cannot be mounted, because our PID namespace is another user namespace's; NULL: nothing may.
 */
int mounts_kernel(struct mounts *, int root, const char *proc);

/* /dev/shm, of SIZE bytes, 0: 64 MiB; and /dev/mqueue, our IPC namespace's. After mounts_kernel. */
int mounts_shm(int root, int64_t size);
int mounts_mqueue(int root);

/* /sys, as FLAGS of mount(2) say (MS_RDONLY or 0): after the network namespace has been settled, since it shows its devices. */
int mounts_sys(int root, unsigned long flags);

/* The same, of the host's, where a new one cannot be mounted: with all that is mounted there, read-only. */
int mounts_host_sys(const struct mounts *, int root);

#endif

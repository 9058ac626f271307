/* System calls and constants that musl 1.2.3 has no declaration for. */
#ifndef ROOTFS_BASE_SYS_H
#define ROOTFS_BASE_SYS_H

#include <errno.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rootfs/base/openat2.h"

#ifndef GRND_INSECURE
#define GRND_INSECURE 4 /* linux/random.h, Linux 5.6: never waits for entropy */
#endif

/* 32-bit ARM has two generations of these; elsewhere there is one. */
#ifndef SYS_setgroups32
#define SYS_setgroups32 SYS_setgroups
#define SYS_setgid32 SYS_setgid
#define SYS_setuid32 SYS_setuid
#endif

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline int sys_open_tree(int dir, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dir, path, flags); /* Linux 5.2 */
}

static inline int sys_move_mount(int from, const char *from_path, int to, const char *to_path,
				 unsigned flags)
{
	return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags); /* Linux 5.2 */
}

static inline int sys_fsopen(const char *type)
{
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC); /* Linux 5.2 */
}

static inline int sys_fsconfig_create(int system)
{
	return (int)syscall(SYS_fsconfig, system, FSCONFIG_CMD_CREATE, NULL, NULL, 0); /* Linux 5.2 */
}

static inline int sys_fsmount(int system)
{
	return (int)syscall(SYS_fsmount, system, FSMOUNT_CLOEXEC, 0); /* Linux 5.2 */
}

static inline int sys_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0); /* Linux 5.3 */
}

static inline int sys_close_range(unsigned first, unsigned last)
{
	return (int)syscall(SYS_close_range, first, last, 0); /* Linux 5.9 */
}

/*
 * fork(2) with the flags of clone3(2), Linux 5.3; CGROUP: a descriptor for CLONE_INTO_CGROUP, 5.7; the
 * child's pidfd goes to *PIDFD, close-on-exec.
 */
static inline pid_t sys_clone3(uint64_t flags, int cgroup, int *pidfd)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
	};
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

#endif

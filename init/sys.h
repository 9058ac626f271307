/* The system calls that init makes, each by its kernel name; they return -errno. No libc. */
#ifndef INIT_SYS_H
#define INIT_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/uio.h>
#include <asm/ioctls.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/unistd.h>

#include "init/arch.h"

/* The kernel's set of signals: signal n is bit n - 1, all 64, those of the libc's own included. */
typedef uint64_t sigbits;
#define SIGBIT(sig) (1ULL << ((sig) - 1))
#define LAST_SIGNAL 64

/* As the kernel reads it on all our architectures: the handler first, the rest may be zero. */
struct disposition {
	void *handler;
	unsigned long rest[5];
};

/* A 32-bit kernel's own calls end in 2038; these don't (Linux 5.1). */
#ifdef __NR_rt_sigtimedwait_time64
#define NR_RT_SIGTIMEDWAIT __NR_rt_sigtimedwait_time64
#define NR_CLOCK_GETTIME __NR_clock_gettime64
#else
#define NR_RT_SIGTIMEDWAIT __NR_rt_sigtimedwait
#define NR_CLOCK_GETTIME __NR_clock_gettime
#endif

/* On 32-bit ARM the plain ones take 16-bit numbers. */
#ifdef __NR_setuid32
#define NR_SETGROUPS __NR_setgroups32
#define NR_SETGID __NR_setgid32
#define NR_SETUID __NR_setuid32
#else
#define NR_SETGROUPS __NR_setgroups
#define NR_SETGID __NR_setgid
#define NR_SETUID __NR_setuid
#endif

/* vfork(2); the child may only make system calls and change what init expects to be changed. */
long sys_vfork(void) __attribute__((returns_twice));

static inline _Noreturn void sys_exit(int status)
{
	for (;;)
		syscall1(__NR_exit_group, status);
}

static inline int sys_getpid(void)
{
	return syscall1(__NR_getpid, 0);
}

static inline int sys_execve(const char *path, char **argv, char **envp)
{
	return syscall3(__NR_execve, (long)path, (long)argv, (long)envp);
}

static inline int sys_wait4(int pid, int *status, int options)
{
	return syscall4(__NR_wait4, pid, (long)status, options, 0);
}

static inline int sys_kill(int pid, int sig)
{
	return syscall2(__NR_kill, pid, sig);
}

static inline int sys_rt_sigqueueinfo(int pid, int sig, const siginfo_t *info)
{
	return syscall3(__NR_rt_sigqueueinfo, pid, sig, (long)info);
}

static inline int sys_sigprocmask(int how, const sigbits *set, sigbits *old)
{
	return syscall4(__NR_rt_sigprocmask, how, (long)set, (long)old, sizeof(sigbits));
}

static inline int sys_sigaction(int sig, const struct disposition *new, struct disposition *old)
{
	return syscall4(__NR_rt_sigaction, sig, (long)new, (long)old, sizeof(sigbits));
}

static inline int sys_sigtimedwait(const sigbits *set, siginfo_t *info,
				   const struct __kernel_timespec *timeout)
{
	return syscall4(NR_RT_SIGTIMEDWAIT, (long)set, (long)info, (long)timeout, sizeof(sigbits));
}

static inline int sys_clock_gettime(int clock, struct __kernel_timespec *now)
{
	return syscall2(NR_CLOCK_GETTIME, clock, (long)now);
}

static inline int sys_prctl(int what, long a, long b)
{
	return syscall5(__NR_prctl, what, a, b, 0, 0);
}

/* Close-on-exec; makes no files. */
int sys_open(const char *path, int flags) __attribute__((noinline));

/* As dup2(2): nothing is close-on-exec. */
static inline int sys_dup3(int from, int to)
{
	return syscall3(__NR_dup3, from, to, 0);
}

static inline int sys_close(int fd)
{
	return syscall1(__NR_close, fd);
}

static inline int sys_close_range(unsigned first, unsigned last)
{
	return syscall3(__NR_close_range, first, last, 0);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
	return syscall3(__NR_read, fd, (long)buffer, size);
}

static inline long sys_write(int fd, const void *data, size_t size)
{
	return syscall3(__NR_write, fd, (long)data, size);
}

static inline int sys_fcntl(int fd, int command, long argument)
{
	return syscall3(__NR_fcntl, fd, command, argument);
}

static inline int sys_ioctl(int fd, unsigned request, void *argument)
{
	return syscall3(__NR_ioctl, fd, request, (long)argument);
}

static inline int sys_chdir(const char *path)
{
	return syscall1(__NR_chdir, (long)path);
}

static inline int sys_setpgid(int pid, int group)
{
	return syscall2(__NR_setpgid, pid, group);
}

static inline int sys_getpgid(int pid)
{
	return syscall1(__NR_getpgid, pid);
}

static inline int sys_getsid(int pid)
{
	return syscall1(__NR_getsid, pid);
}

static inline int sys_setsid(void)
{
	return syscall1(__NR_setsid, 0);
}

#endif

#include "rootfs/decode/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rootfs/base/scoped.h"

enum { NOBODY = 65534, READ_FD = 0, WRITE_FD = 1 };

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define NATIVE_ARCH AUDIT_ARCH_ARM
#elif defined(__riscv)
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#endif

#if defined(__NR_mmap2)
#define NR_MMAP __NR_mmap2
#else
#define NR_MMAP __NR_mmap
#endif

#define LOW(argument) (offsetof(struct seccomp_data, args) + 8 * (argument) + \
		       (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define ALLOW_CALL(nr) UNLESS((nr), 1), ALLOW
/* The call, with this value of one argument alone. */
#define ALLOW_CALL_WITH(nr, argument, value) \
	UNLESS((nr), 4), LOAD(LOW(argument)), UNLESS((value), 1), ALLOW, KILL
/* Memory that is its own and will never be code. */
#define ALLOW_MEMORY(nr, argument) \
	UNLESS((nr), 4), LOAD(LOW(argument)), \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0), ALLOW, KILL

/*
 * Ten calls. mmap can make no file's mapping, since there is no descriptor but two eventfds, which
 * can't be mapped; a shared mapping that is not inherited is of no use to anybody.
 */
static const struct sock_filter filter[] = {
	LOAD(offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
	KILL,
	LOAD(offsetof(struct seccomp_data, nr)),
	ALLOW_CALL_WITH(__NR_read, 0, READ_FD),
	ALLOW_CALL_WITH(__NR_write, 0, WRITE_FD),
	ALLOW_CALL(__NR_brk),
	ALLOW_MEMORY(NR_MMAP, 2),
	ALLOW_MEMORY(__NR_mprotect, 2),
	ALLOW_CALL(__NR_munmap),
	ALLOW_CALL(__NR_mremap),
	ALLOW_CALL(__NR_madvise),
	ALLOW_CALL(__NR_exit_group),
	ALLOW_CALL(__NR_exit),
	KILL,
};

static int limit(int resource, uint64_t value)
{
	struct rlimit limit = { value, value };
	return setrlimit(resource, &limit);
}

static int set_limits(uint64_t memory, uint64_t seconds)
{
	static const int none[] = { RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE,
				    RLIMIT_NPROC };
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (limit(none[i], 0) < 0)
			return -1;
	/*
	 * The address space, not the data segment: shared anonymous memory would not count as
	 * data.
	 */
	return limit(RLIMIT_AS, memory) < 0 || limit(RLIMIT_CPU, seconds) < 0 ? -1 : 0;
}

/* 0 and 1 are the channel's, and there is no other. */
static int keep_descriptors(int read_fd, int write_fd)
{
	scoped_fd write_copy = fcntl(write_fd, F_DUPFD_CLOEXEC, 3);
	if (write_copy < 0 || dup2(read_fd, READ_FD) < 0 || dup2(write_copy, WRITE_FD) < 0)
		return -1;
	if (syscall(__NR_close_range, 2u, ~0u, 0u) < 0)
		return -1;
	write_copy = -1;
	return limit(RLIMIT_NOFILE, 0);
}

/*
 * EPERM, EINVAL: a user namespace that has no such user; its own root has no rights outside
 * either.
 */
static int become_nobody(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0 } };
	if (geteuid() == 0) {
		if (setgroups(0, NULL) < 0 && errno != EPERM)
			return -1;
		if (setresgid(NOBODY, NOBODY, NOBODY) < 0 && errno != EPERM && errno != EINVAL)
			return -1;
		if (setresuid(NOBODY, NOBODY, NOBODY) < 0 && errno != EPERM && errno != EINVAL)
			return -1;
	}
	return syscall(__NR_capset, &header, none) < 0 ? -1 : 0;
}

int sandbox_enter(int read_fd, int write_fd, uint64_t memory, uint64_t seconds, pid_t parent)
{
	static const struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]),
						   (struct sock_filter *)filter };
	if (keep_descriptors(read_fd, write_fd) < 0 || set_limits(memory, seconds) < 0 ||
	    become_nobody() < 0)
		return -1;
	/* After the change of user, which clears it: prctl(2). */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

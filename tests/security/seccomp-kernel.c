/* Seccomp: what the kernel makes of the filter that wherry was built with, for every number of a call. */
#include "launcher/seccomp/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/rights/caps.h"
#include "launcher/seccomp/filter.h"
#include "tests/security/seccomp/bpf.h"
#include "tests/lib/tap.h"

enum { NUMBERS = 700, PASSED = 777 };

static uint32_t verdict(const struct seccomp *seccomp, unsigned abi, uint32_t number)
{
	unsigned long steps;
	struct seccomp_data data = { (int)(seccomp_abis[abi].base + number), seccomp_abis[abi].arch, 0, { 0 } };
	return bpf_run(seccomp->filter, seccomp->length, &data, &steps);
}

/*
 * What a call comes to in a process that has the filter, for every number, without any of them being made: a
 * second filter hands to the parent what the first lets pass, and the parent answers PASSED.
 */
struct trial {
	volatile int listener;
	volatile bool done;
	int answers[NUMBERS];
};

static long call32(long number)
{
#if defined(__x86_64__)
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0)
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
#else
	(void)number;
	return -ENOSYS;
#endif
}

/* The kernel lets them by every filter, and kills who makes them himself: x86-64's uretprobe and uprobe. */
static bool goes_past(unsigned abi, uint32_t number)
{
	return seccomp_abis[abi].arch == AUDIT_ARCH_X86_64 && (number == 335 || number == 336);
}

static _Noreturn void try_numbers(struct trial *trial, const struct seccomp *seccomp, unsigned abi)
{
	struct sock_filter notify[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF) };
	struct sock_fprog program = { 1, notify };
	uint32_t base = seccomp_abis[abi].base;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_install(seccomp) < 0)
		_exit(1);
	trial->listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				       SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	for (uint32_t i = 0; i < NUMBERS && trial->listener >= 0; i++) {
		if (goes_past(abi, i))
			continue;
		bool same = seccomp_abis[abi].arch == seccomp_abis[0].arch;
		long r = same ? syscall((long)(base + i), 0, 0, 0, 0, 0, 0) : call32((long)i);
		trial->answers[i] = same ? (r < 0 ? errno : 0) : (int)-r;
	}
	trial->done = true;
	for (;;)
		;
}

static void answer(struct trial *trial)
{
	struct pollfd poll_listener = { trial->listener, POLLIN, 0 };
	while (!trial->done) {
		struct seccomp_notif asked = { 0 };
		if (poll(&poll_listener, 1, 10) <= 0)
			continue;
		if (poll_listener.revents & POLLHUP)
			return; /* the child is dead */
		if (ioctl(trial->listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
			continue;
		struct seccomp_notif_resp response = { .id = asked.id, .error = -PASSED };
		ioctl(trial->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

/* Returns false where this kernel doesn't run programs of the ABI. */
static bool run_trial(struct trial *trial, const struct seccomp *seccomp, unsigned abi)
{
	*trial = (struct trial){ .listener = -1 };
	/* The listener comes into the table of descriptors that both share. */
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (child == 0)
		try_numbers(trial, seccomp, abi);
	for (int i = 0; i < 500 && trial->listener < 0; i++)
		usleep(10000);
	if (trial->listener >= 0)
		answer(trial);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(trial->listener);
	return trial->done;
}

static bool runs(unsigned abi)
{
	int status;
	if (seccomp_abis[abi].arch == seccomp_abis[0].arch)
		return true;
	if (seccomp_abis[0].arch != AUDIT_ARCH_X86_64)
		return false;
	pid_t child = fork();
	if (child == 0)
		_exit(call32(20) != getpid()); /* i386's getpid */
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void check_kernel(const struct seccomp *seccomp, unsigned abi)
{
	struct trial *trial = mmap(NULL, sizeof(*trial), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int wrong = 0, passed = 0;
	if (trial == MAP_FAILED || !run_trial(trial, seccomp, abi)) {
		tap_ok(false, "the kernel runs the filter for %s", seccomp_abis[abi].name);
		return;
	}
	for (uint32_t number = 0; number < NUMBERS; number++) {
		uint32_t meant = verdict(seccomp, abi, number);
		int wanted = meant == SECCOMP_RET_ALLOW ? PASSED : (int)(meant & SECCOMP_RET_DATA);
		passed += wanted == PASSED;
		if (!goes_past(abi, number) && trial->answers[number] != wanted && wrong++ < 10)
			printf("# %s %u: %d, not %d\n", seccomp_abis[abi].name, number,
			       trial->answers[number], wanted);
	}
	tap_ok(!wrong && passed > 300, "in a process of its own %s has %d calls that pass of %d numbers",
	       seccomp_abis[abi].name, passed, NUMBERS);
	munmap(trial, sizeof(*trial));
}

int main(void)
{
	struct seccomp seccomp;
	if (seccomp_prepare(&seccomp, NULL, caps_default) < 0)
		return 2;
	for (unsigned abi = 0; seccomp_abis[abi].name; abi++) {
		if (runs(abi))
			check_kernel(&seccomp, abi);
		else
			printf("# this kernel runs no programs of %s\n", seccomp_abis[abi].name);
	}
	return tap_finish();
}

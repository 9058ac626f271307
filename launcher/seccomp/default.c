/*
 * docker's default profile: what seccomp_table.h says of each call, and what it can't say.
 *
 * Of its conditions on architectures nothing is left to do: the calls in question are to be had there
 * alone. One on the kernel's version, for ptrace, has held since Linux 4.8.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include "launcher/seccomp/policy.h"

#define BIT(cap) (1ULL << (cap))
#define ERRNO(error) (SECCOMP_RET_ERRNO | (error))

enum who {
	DENY, ALLOW, CLONE, CLONE3, SOCKET, PERSONALITY,
	BPF, DAC_READ_SEARCH, PERFMON, SYSLOG, SYS_ADMIN, SYS_BOOT, SYS_CHROOT, SYS_MODULE, SYS_NICE,
	SYS_PACCT, SYS_PTRACE, SYS_RAWIO, SYS_TIME, SYS_TTY_CONFIG,
	WHO_COUNT
};

/* One of these will do. */
static const uint64_t sufficient[WHO_COUNT] = {
	[CLONE] = BIT(CAP_SYS_ADMIN),
	[CLONE3] = BIT(CAP_SYS_ADMIN),
	[BPF] = BIT(CAP_BPF) | BIT(CAP_SYS_ADMIN),
	[DAC_READ_SEARCH] = BIT(CAP_DAC_READ_SEARCH),
	[PERFMON] = BIT(CAP_PERFMON) | BIT(CAP_SYS_ADMIN),
	[SYSLOG] = BIT(CAP_SYSLOG) | BIT(CAP_SYS_ADMIN),
	[SYS_ADMIN] = BIT(CAP_SYS_ADMIN),
	[SYS_BOOT] = BIT(CAP_SYS_BOOT),
	[SYS_CHROOT] = BIT(CAP_SYS_CHROOT),
	[SYS_MODULE] = BIT(CAP_SYS_MODULE),
	[SYS_NICE] = BIT(CAP_SYS_NICE),
	[SYS_PACCT] = BIT(CAP_SYS_PACCT),
	[SYS_PTRACE] = BIT(CAP_SYS_PTRACE),
	[SYS_RAWIO] = BIT(CAP_SYS_RAWIO),
	[SYS_TIME] = BIT(CAP_SYS_TIME),
	[SYS_TTY_CONFIG] = BIT(CAP_SYS_TTY_CONFIG),
};

#define CALL(who, name, ...) who,
#define SAME(who, name, nr) who,
#define COMPAT(who, name, i386, arm) who,
static const uint8_t who_may[CALL_COUNT] = {
#include "launcher/seccomp/table.h"
};

uint64_t seccomp_default_caps(void)
{
	uint64_t caps = 0;
	for (int who = 0; who < WHO_COUNT; who++)
		caps |= sufficient[who];
	return caps;
}

/*
 * No new namespaces. In clone3 the flags are in memory, where a filter can't look; ENOSYS makes libc fall
 * back to clone.
 */
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
		    CLONE_NEWPID | CLONE_NEWNET)
static const struct seccomp_rule no_clone3 = { .action = ERRNO(ENOSYS) };
static const struct seccomp_rule clone_rule = {
	SECCOMP_RET_ALLOW, 1, { { 0, SECCOMP_MASKED_EQUAL, false, 0, NAMESPACES } }, 0
};

/*
 * No sockets of the kernel's crypto API, nor of the hypervisor (vsock belongs to no namespace). The kernel takes
 * the family as an int; a filter that looks at all 64 bits, as docker's does, is passed by 1<<32 | 40.
 */
static const struct seccomp_rule socket_rules[] = {
	{ SECCOMP_RET_ALLOW, 1, { { 0, SECCOMP_LESS, true, AF_ALG, 0 } }, 0 },
	{ SECCOMP_RET_ALLOW, 1, { { 0, SECCOMP_EQUAL, true, AF_NFC, 0 } }, 0 },
	{ SECCOMP_RET_ALLOW, 1, { { 0, SECCOMP_GREATER, true, AF_VSOCK, 0 } }, 0 },
};

/* Linux, Linux with 32-bit addresses, each with uname -r as 2.6, and the question which it is. */
static const uint64_t personalities[] = {
	PER_LINUX, PER_LINUX32, PER_LINUX | UNAME26, PER_LINUX32 | UNAME26, 0xffffffff,
};

static int add_socket(struct seccomp_policy *policy)
{
	int r = 0;
	for (size_t i = 0; i < sizeof(socket_rules) / sizeof(*socket_rules) && !r; i++)
		r = seccomp_policy_add(policy, CALL_socket, &socket_rules[i]);
	return r;
}

static int add_personality(struct seccomp_policy *policy)
{
	int r = 0;
	for (size_t i = 0; i < sizeof(personalities) / sizeof(*personalities) && !r; i++) {
		struct seccomp_rule rule = {
			SECCOMP_RET_ALLOW, 1,
			{ { 0, SECCOMP_EQUAL, false, personalities[i], 0 } }, 0
		};
		r = seccomp_policy_add(policy, CALL_personality, &rule);
	}
	return r;
}

static int add(struct seccomp_policy *policy, enum seccomp_call call, uint64_t caps)
{
	static const struct seccomp_rule allowed = { .action = SECCOMP_RET_ALLOW };
	enum who who = who_may[call];
	if (who == ALLOW || caps & sufficient[who])
		return seccomp_policy_add(policy, call, &allowed);
	switch (who) {
	case SOCKET:
		return add_socket(policy);
	case PERSONALITY:
		return add_personality(policy);
	case CLONE:
		return seccomp_policy_add(policy, call, &clone_rule);
	case CLONE3:
		return seccomp_policy_add(policy, call, &no_clone3);
	default:
		return 0;
	}
}

int seccomp_default(struct seccomp_policy *policy, uint64_t caps)
{
	seccomp_policy_open(policy, ERRNO(EPERM));
	for (unsigned abi = 0; seccomp_abis[abi].name; abi++)
		policy->abis |= 1U << abi;
	for (unsigned call = 0; call < CALL_COUNT; call++)
		if (add(policy, call, caps) < 0)
			return -2;
	return 0;
}

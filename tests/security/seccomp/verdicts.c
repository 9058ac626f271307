/*
 *	verdicts RULES
 *
 * Compares the filter that wherry compiles with the one that libseccomp compiles from docker's rules: every
 * system call's number, with arguments that rules are about, for each set of capabilities that
 * makes a difference. SECCOMP_TARGET says for which architecture. Prints what differs; status 1 if anything.
 *
 * Where they have to differ: a number that libseccomp doesn't know is compared with NEWER, or is
 * ENOSYS; and libseccomp takes socket's family for 64 bits.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

#include "launcher/seccomp/filter.h"
#include "tests/security/seccomp/bpf.h"
#include "tests/security/seccomp/docker.h"

enum { EPERM_ = SECCOMP_RET_ERRNO | EPERM, ENOSYS_ = SECCOMP_RET_ERRNO | ENOSYS };

/* By Linux's scripts/syscall.tbl and arch/x86/entry/syscalls/syscall_64.tbl. */
static const struct {
	uint32_t number;
	const char *name;
	const char *abi; /* NULL: all */
} newer[] = {
	{ 335, "uretprobe", "SCMP_ARCH_X86_64" }, { 336, "uprobe", "SCMP_ARCH_X86_64" },
	{ 258, "riscv_hwprobe", "SCMP_ARCH_RISCV64" },
	{ 451, "cachestat", NULL }, { 452, "fchmodat2", NULL }, { 453, "map_shadow_stack", NULL },
	{ 454, "futex_wake", NULL }, { 455, "futex_wait", NULL }, { 456, "futex_requeue", NULL },
	{ 457, "statmount", NULL }, { 458, "listmount", NULL }, { 459, "lsm_get_self_attr", NULL },
	{ 460, "lsm_set_self_attr", NULL }, { 461, "lsm_list_modules", NULL }, { 462, "mseal", NULL },
	{ 463, "setxattrat", NULL }, { 464, "getxattrat", NULL }, { 465, "listxattrat", NULL },
	{ 466, "removexattrat", NULL },
};

static const uint64_t arguments[] = {
	0, 1, 2, 8, 9, 16, 37, 38, 39, 40, 41, 0x20000, 0x20008, 0x20010, 0x7fffffff, 0xfffffffe, 0xffffffff,
	0x1200011, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80000000,
	0x7e020000, 0x3d0f00, 0x100000000, 0x100000008, 0x100000026, 0x100000027, 0x100000028,
	0x100020000, 0x17e020000, 0x7fffffff00000000, UINT64_MAX,
};
enum { ARGUMENTS = sizeof(arguments) / sizeof(*arguments) };

struct comparison {
	const char *rules;
	uint64_t caps;
	unsigned abi;
	struct docker_filter theirs;
	struct sock_filter *ours;
	unsigned short length;
	unsigned long compared, steps, their_steps;
	int differing;
};

static uint32_t abi_token(unsigned abi)
{
	static const struct {
		const char *name;
		uint32_t token;
	} tokens[] = {
		{ "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 }, { "SCMP_ARCH_X32", SCMP_ARCH_X32 },
		{ "SCMP_ARCH_X86", SCMP_ARCH_X86 }, { "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
		{ "SCMP_ARCH_ARM", SCMP_ARCH_ARM }, { "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64 },
	};
	size_t i = 0;
	while (strcmp(tokens[i].name, seccomp_abis[abi].name))
		i++;
	return tokens[i].token;
}

/* What libseccomp 2.5.4 doesn't know. */
static uint32_t newer_verdict(const struct comparison *with, uint32_t number)
{
	for (size_t i = 0; i < sizeof(newer) / sizeof(*newer); i++) {
		if (newer[i].number != number ||
		    (newer[i].abi && strcmp(newer[i].abi, seccomp_abis[with->abi].name)))
			continue;
		return docker_allows(with->rules, seccomp_machine, with->caps, newer[i].name) ?
			SECCOMP_RET_ALLOW : EPERM_;
	}
	return ENOSYS_;
}

static bool is_named(unsigned abi, uint32_t number, const char *name)
{
	char *own = seccomp_syscall_resolve_num_arch(abi_token(abi), (int)number);
	bool same = own && (!name || !strcmp(own, name));
	free(own);
	return same;
}

static uint32_t expected(struct comparison *with, struct seccomp_data data, bool known, uint32_t newest)
{
	if (!known)
		return newest;
	/* The kernel takes an int. */
	if (is_named(with->abi, (uint32_t)data.nr, "socket"))
		data.args[0] = (uint32_t)data.args[0];
	return bpf_run(with->theirs.code, with->theirs.length, &data, &with->their_steps);
}

static void compare_number(struct comparison *with, uint32_t offset)
{
	const struct seccomp_abi *abi = &seccomp_abis[with->abi];
	uint32_t number = offset + abi->base;
	bool known = is_named(with->abi, number, NULL);
	uint32_t newest = known ? 0 : newer_verdict(with, offset);
	/* For libseccomp x32 has 32 bits, for the kernel 64. */
	bool wide = abi->wide && !abi->base;
	for (int i = 0; i < ARGUMENTS; i++) {
		struct seccomp_data data = { (int)number, abi->arch, 0, { arguments[i], 7, 0, 0, 0, 0 } };
		if (!wide && arguments[i] >> 32)
			continue;
		uint32_t theirs = expected(with, data, known, newest);
		uint32_t ours = bpf_run(with->ours, with->length, &data, &with->steps);
		with->compared++;
		if (ours == theirs)
			continue;
		if (with->differing++ < 20)
			printf("%s %u (%#llx), capabilities %#llx: wherry %#x, libseccomp %#x\n",
			       abi->name, offset, (unsigned long long)arguments[i],
			       (unsigned long long)with->caps, ours, theirs);
	}
}

static void compare_abi(struct comparison *with, unsigned abi)
{
	static const uint32_t odd[] = {
		0xeffff, 0xf0000, 0xf0001, 0xf0002, 0xf0003, 0xf0004, 0xf0005, 0xf0006, 0xf0007,
		0x100000, 0x3fffffff,
	};
	uint32_t only[] = { abi_token(abi), 0 };
	with->abi = abi;
	docker_compile(&with->theirs, with->rules, seccomp_machine, only, with->caps, 1);
	for (uint32_t number = 0; number <= 1000; number++)
		compare_number(with, number);
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		compare_number(with, odd[i]);
}

static void compare(struct comparison *with, uint64_t caps)
{
	struct seccomp_policy policy;
	struct seccomp_data foreign = { 0, 0xdeadbeef, 0, { 0 } };
	with->caps = caps;
	if (seccomp_default(&policy, caps) < 0 || !(with->ours = seccomp_compile(&policy, &with->length)))
		exit(2);
	for (unsigned abi = 0; seccomp_abis[abi].name; abi++)
		compare_abi(with, abi);
	if (bpf_run(with->ours, with->length, &foreign, &with->steps) != SECCOMP_RET_KILL_THREAD) {
		printf("a foreign architecture's calls pass\n");
		with->differing++;
	}
	free(with->ours);
	seccomp_policy_close(&policy);
}

int main(int argc, char **argv)
{
	static struct comparison with;
	if (argc != 2)
		return 2;
	with.rules = argv[1];
	compare(&with, SECCOMP_BUILT_CAPS);
	printf("%s: %u instructions\n", seccomp_machine, with.length);
	compare(&with, 0);
	compare(&with, ~0ULL);
	for (int cap = 0; cap < 64; cap++)
		if (seccomp_default_caps() >> cap & 1)
			compare(&with, SECCOMP_BUILT_CAPS | 1ULL << cap);
	printf("%lu verdicts compared, %d differ\n", with.compared, with.differing);
	return with.differing ? 1 : 0;
}

#include "launcher/seccomp/calls.h"

#include <linux/audit.h>
#include <string.h>

/* Which columns: those of the machine that this is compiled for, or for which it is to compute a filter. */
#define TARGET_x86_64 1
#define TARGET_aarch64 2
#define TARGET_arm 3
#define TARGET_riscv64 4
#ifndef SECCOMP_TARGET
#if defined(__x86_64__)
#define SECCOMP_TARGET TARGET_x86_64
#elif defined(__aarch64__)
#define SECCOMP_TARGET TARGET_aarch64
#elif defined(__arm__)
#define SECCOMP_TARGET TARGET_arm
#elif defined(__riscv) && __riscv_xlen == 64
#define SECCOMP_TARGET TARGET_riscv64
#endif
#endif

#define ARM_PRIVATE 0xf0000 /* __ARM_NR_BASE */

#if SECCOMP_TARGET == TARGET_x86_64
const char seccomp_machine[] = "amd64";
const struct seccomp_abi seccomp_abis[SECCOMP_ABIS + 1] = {
	{ "SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64, 0, true, UINT32_MAX },
	{ "SCMP_ARCH_X32", AUDIT_ARCH_X86_64, 0x40000000, true, 512 },
	{ "SCMP_ARCH_X86", AUDIT_ARCH_I386, 0, false, UINT32_MAX },
};
#define NUMBERS(x86_64, x32, i386, arm, arm64, riscv64) { x86_64, x32, i386 }
#elif SECCOMP_TARGET == TARGET_aarch64
const char seccomp_machine[] = "arm64";
const struct seccomp_abi seccomp_abis[SECCOMP_ABIS + 1] = {
	{ "SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64, 0, true, UINT32_MAX },
	{ "SCMP_ARCH_ARM", AUDIT_ARCH_ARM, 0, false, ARM_PRIVATE },
};
#define NUMBERS(x86_64, x32, i386, arm, arm64, riscv64) { arm64, arm }
#elif SECCOMP_TARGET == TARGET_arm
const char seccomp_machine[] = "arm";
const struct seccomp_abi seccomp_abis[SECCOMP_ABIS + 1] = {
	{ "SCMP_ARCH_ARM", AUDIT_ARCH_ARM, 0, false, ARM_PRIVATE },
};
#define NUMBERS(x86_64, x32, i386, arm, arm64, riscv64) { arm }
#elif SECCOMP_TARGET == TARGET_riscv64
const char seccomp_machine[] = "riscv64";
const struct seccomp_abi seccomp_abis[SECCOMP_ABIS + 1] = {
	{ "SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64, 0, true, UINT32_MAX },
};
#define NUMBERS(x86_64, x32, i386, arm, arm64, riscv64) { riscv64 }
#else
#error "no system calls are known for this architecture"
#endif

/* Sixteen bits hold every number: private ones are kept without their upper half. */
#define NO 0xffff
#define PRIVATE(n) (0xf000 | (n))

#define CALL(who, name, ...) NUMBERS(__VA_ARGS__),
#define SAME(who, name, nr) NUMBERS(nr, nr, nr, nr, nr, nr),
#define COMPAT(who, name, i386, arm) NUMBERS(NO, NO, i386, arm, NO, NO),
static const uint16_t numbers[CALL_COUNT][SECCOMP_ABIS] = {
#include "launcher/seccomp/table.h"
};
#undef CALL
#undef SAME
#undef COMPAT

/* The names one behind the other, and where each begins: no pointers, which would want relocation. */
#define CALL(who, name, ...) char call_##name[sizeof(#name)];
#define SAME(who, name, nr) char call_##name[sizeof(#name)];
#define COMPAT(who, name, i386, arm) char call_##name[sizeof(#name)];
struct names {
#include "launcher/seccomp/table.h"
};
#undef CALL
#undef SAME
#undef COMPAT

#define CALL(who, name, ...) #name,
#define SAME(who, name, nr) #name,
#define COMPAT(who, name, i386, arm) #name,
static const struct names names = {
#include "launcher/seccomp/table.h"
};
#undef CALL
#undef SAME
#undef COMPAT

#define CALL(who, name, ...) offsetof(struct names, call_##name),
#define SAME(who, name, nr) offsetof(struct names, call_##name),
#define COMPAT(who, name, i386, arm) offsetof(struct names, call_##name),
static const uint16_t places[CALL_COUNT] = {
#include "launcher/seccomp/table.h"
};

const char *seccomp_call_name(enum seccomp_call call)
{
	return (const char *)&names + places[call];
}

enum seccomp_call seccomp_call_find(const char *name)
{
	unsigned low = 0, high = CALL_COUNT;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = strcmp(name, seccomp_call_name(middle));
		if (!order)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return CALL_COUNT;
}

uint32_t seccomp_call_number(enum seccomp_call call, unsigned abi)
{
	uint32_t number = numbers[call][abi];
	if (number == NO)
		return SECCOMP_NO_NUMBER;
	return number < 0xf000 ? number : ARM_PRIVATE | (number & 0xfff);
}

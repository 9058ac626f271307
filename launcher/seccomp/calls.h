/* System calls: their names, and their numbers for every kind of program that this machine runs. */
#ifndef LAUNCHER_SECCOMP_CALLS_H
#define LAUNCHER_SECCOMP_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An index into the table, CALL_read and its kin. */
enum seccomp_call {
#define CALL(who, name, ...) CALL_##name,
#define SAME(who, name, nr) CALL_##name,
#define COMPAT(who, name, i386, arm) CALL_##name,
#include "launcher/seccomp/table.h"
#undef CALL
#undef SAME
#undef COMPAT
	CALL_COUNT
};

/* The number of a call that isn't there. */
#define SECCOMP_NO_NUMBER UINT32_MAX
/* A kind of program: the first is the machine's own. */
struct seccomp_abi {
	const char *name;   /* as profiles have it: "SCMP_ARCH_X86_64" */
	uint32_t arch;      /* AUDIT_ARCH_… of linux/audit.h */
	uint32_t base;      /* added to all its numbers: __X32_SYSCALL_BIT */
	bool wide;          /* its arguments have 64 bits */
	uint32_t apart;     /* from this number on no call is new: ARM's set_tls, x32's execve */
};

enum { SECCOMP_ABIS = 3 };

/* Ends with an ABI without a name. */
extern const struct seccomp_abi seccomp_abis[SECCOMP_ABIS + 1];

/* The name of this architecture in the conditions of a profile: "amd64". */
extern const char seccomp_machine[];

/* CALL_COUNT: there is no such call. */
enum seccomp_call seccomp_call_find(const char *name);

const char *seccomp_call_name(enum seccomp_call);

/* Without the ABI's base. */
uint32_t seccomp_call_number(enum seccomp_call, unsigned abi);

#endif

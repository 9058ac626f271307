/* What shall become of each system call: plain data between a profile and a filter. */
#ifndef LAUNCHER_SECCOMP_POLICY_H
#define LAUNCHER_SECCOMP_POLICY_H

#include <linux/capability.h>

#include "launcher/seccomp/calls.h"

enum seccomp_operator {
	SECCOMP_EQUAL, SECCOMP_NOT_EQUAL, SECCOMP_LESS, SECCOMP_LESS_EQUAL, SECCOMP_GREATER,
	SECCOMP_GREATER_EQUAL, SECCOMP_MASKED_EQUAL,
};

struct seccomp_condition {
	uint8_t argument; /* 0 … 5 */
	uint8_t operator;
	bool is_int;      /* the kernel looks at its lower 32 bits alone, and so shall the filter */
	uint64_t value;
	uint64_t mask;    /* MASKED_EQUAL: (argument & mask) == value */
};

enum { SECCOMP_ARGUMENTS = 6 };

/* ACTION where all conditions are true. */
struct seccomp_rule {
	uint32_t action; /* SECCOMP_RET_…, with its data */
	uint8_t count;
	struct seccomp_condition conditions[SECCOMP_ARGUMENTS];
	uint16_t next; /* 1 + the index of the call's next rule; 0: none */
};

/* What becomes of one call: the first of its rules that holds, or else ACTION. */
struct seccomp_verdict {
	uint32_t action;
	uint16_t first, last; /* as next */
	bool named;           /* the profile speaks of it */
	bool settled;         /* without conditions */
};

struct seccomp_policy {
	uint32_t otherwise; /* for calls that the profile does not name */
	unsigned abis;      /* bits: 1 << index into seccomp_abis; programs of others are killed */
	struct seccomp_verdict calls[CALL_COUNT];
	struct seccomp_rule *rules;
	size_t rule_count;
};

void seccomp_policy_open(struct seccomp_policy *, uint32_t otherwise);
void seccomp_policy_close(struct seccomp_policy *);

/*
 * A rule with conditions, behind those that the call has; a rule without them replaces all. Where the
 * call has one without already, nothing: profiles of containers-common allow setns, and forbid it again.
 * So does libseccomp. Returns 0; -1: no memory, or more rules than a filter could hold.
 */
int seccomp_policy_add(struct seccomp_policy *, enum seccomp_call, const struct seccomp_rule *);

/*
 * What docker's default profile says for a program that may have CAPS (bits of linux/capability.h), as a
 * policy that is already open. Returns 0, or -1 as above.
 */
int seccomp_default(struct seccomp_policy *, uint64_t caps);

/* The capabilities that make a difference to it. */
uint64_t seccomp_default_caps(void);

/* Those of them that a container has by default: what wherry is built with. */
#define SECCOMP_BUILT_CAPS (1ULL << CAP_SYS_CHROOT)

#endif

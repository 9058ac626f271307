/*
 * Each ABI's calls become ranges of neighbouring numbers with the same verdict, and the ranges a balanced
 * tree of comparisons.
 *
 * The program is written from its end to its beginning, because classic BPF only jumps forward: whatever
 * an instruction jumps to is there already. A label is the number of instructions from its own to the end.
 * All returns are shared as far as a jump reaches.
 */
#include "launcher/seccomp/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned label;

enum { JUMP_MAX = 255 }; /* eight bits in struct sock_filter */

/* From NUMBER to the next range's. */
struct range {
	uint32_t number;
	uint32_t action;
	uint16_t rule; /* as in struct seccomp_verdict */
};

struct numbered {
	uint32_t number;
	const struct seccomp_verdict *verdict;
};

struct compiler {
	const struct seccomp_policy *policy;
	struct sock_filter code[BPF_MAXINSNS]; /* filled from the end */
	label count;
	bool full;
	struct numbered calls[CALL_COUNT];
	struct range ranges[2 * CALL_COUNT + 1];
	unsigned range_count;
};

static label emit(struct compiler *to, struct sock_filter instruction)
{
	if (to->count == BPF_MAXINSNS)
		to->full = true;
	else
		to->code[BPF_MAXINSNS - ++to->count] = instruction;
	return to->count;
}

static label load(struct compiler *to, size_t offset)
{
	return emit(to, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* TARGET, or a jump to it where it is out of the reach of what follows after BETWEEN more instructions. */
static label within_reach(struct compiler *to, label target, label between)
{
	label distance = to->count - target;
	if (distance + between <= JUMP_MAX)
		return target;
	return emit(to, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, distance));
}

static label branch(struct compiler *to, uint16_t test, uint32_t with, label yes, label no)
{
	yes = within_reach(to, yes, 1);
	no = within_reach(to, no, 0);
	return emit(to, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | test, with,
						     (uint8_t)(to->count - yes), (uint8_t)(to->count - no)));
}

static label finish(struct compiler *to, uint32_t action)
{
	const struct sock_filter *end = to->code + BPF_MAXINSNS;
	/* Two less than a jump reaches: room for within_reach and for the other side's. */
	for (label at = to->count; at > 0 && to->count - at < JUMP_MAX - 2; at--)
		if (end[-(int)at].code == (BPF_RET | BPF_K) && end[-(int)at].k == action)
			return at;
	return emit(to, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

struct test {
	uint16_t code;
	bool negated;
};

static const struct test tests[] = {
	[SECCOMP_EQUAL] = { BPF_JEQ, false },
	[SECCOMP_NOT_EQUAL] = { BPF_JEQ, true },
	[SECCOMP_LESS] = { BPF_JGE, true },
	[SECCOMP_LESS_EQUAL] = { BPF_JGT, true },
	[SECCOMP_GREATER] = { BPF_JGT, false },
	[SECCOMP_GREATER_EQUAL] = { BPF_JGE, false },
	[SECCOMP_MASKED_EQUAL] = { BPF_JEQ, false },
};

/* All architectures here are little-endian. */
static size_t half(const struct seccomp_condition *condition, unsigned upper)
{
	return offsetof(struct seccomp_data, args) + 8 * condition->argument + 4 * upper;
}

static label load_half(struct compiler *to, const struct seccomp_condition *condition, unsigned upper)
{
	if (condition->operator == SECCOMP_MASKED_EQUAL)
		emit(to, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
						      (uint32_t)(condition->mask >> 32 * upper)));
	return load(to, half(condition, upper));
}

static label compare(struct compiler *to, const struct seccomp_condition *condition, bool wide,
		     label yes, label no)
{
	struct test test = tests[condition->operator];
	uint32_t upper = (uint32_t)(condition->value >> 32);
	if (test.negated) {
		label swapped = yes;
		yes = no;
		no = swapped;
	}
	branch(to, test.code, (uint32_t)condition->value, yes, no);
	label at = load_half(to, condition, 0);
	bool no_upper = condition->operator == SECCOMP_MASKED_EQUAL && !(condition->mask >> 32);
	if (!wide || condition->is_int || no_upper)
		return at;
	/* What no comparison of the upper half has decided, the lower half decides. */
	at = branch(to, BPF_JEQ, upper, at, no);
	if (test.code != BPF_JEQ)
		branch(to, BPF_JGT, upper, yes, at);
	return load_half(to, condition, 1);
}

static label check_rules(struct compiler *to, uint16_t place, uint32_t otherwise, bool wide)
{
	if (!place)
		return finish(to, otherwise);
	const struct seccomp_rule *rule = &to->policy->rules[place - 1];
	label no = check_rules(to, rule->next, otherwise, wide);
	label yes = finish(to, rule->action);
	for (unsigned i = rule->count; i-- > 0;)
		yes = compare(to, &rule->conditions[i], wide, yes, no);
	return yes;
}

static int by_number(const void *one, const void *other)
{
	const struct numbered *a = one, *b = other;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	/* Two names of one call: what the profile says of either. */
	return b->verdict->named - a->verdict->named;
}

/* Sets *LAST to the number of the newest call that the profile names. */
static unsigned number_calls(struct compiler *to, unsigned abi, uint32_t *last)
{
	uint32_t apart = seccomp_abis[abi].apart;
	unsigned count = 0;
	*last = 0;
	for (unsigned call = 0; call < CALL_COUNT; call++) {
		const struct seccomp_verdict *verdict = &to->policy->calls[call];
		uint32_t number = seccomp_call_number(call, abi);
		if (number == SECCOMP_NO_NUMBER)
			continue;
		to->calls[count++] = (struct numbered){ number, verdict };
		if (verdict->named && number > *last && number < apart)
			*last = number;
	}
	qsort(to->calls, count, sizeof(*to->calls), by_number);
	return count;
}

static void add_range(struct compiler *to, uint32_t number, uint32_t action, uint16_t rule)
{
	const struct range *before = &to->ranges[to->range_count - 1];
	if (to->range_count && !rule && !before->rule && before->action == action)
		return;
	to->ranges[to->range_count++] = (struct range){ number, action, rule };
}

/*
 * What is no call, or one that is newer than all of the profile's, is answered as a kernel does that
 * doesn't have it: programs take EPERM for the last word. Not where what is new is to pass anyway.
 */
static uint32_t unknown_action(const struct seccomp_policy *policy)
{
	switch (policy->otherwise & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_TRACE:
		return policy->otherwise;
	default:
		return SECCOMP_RET_ERRNO | ENOSYS;
	}
}

static void make_ranges(struct compiler *to, unsigned abi)
{
	uint32_t base = seccomp_abis[abi].base, unknown = unknown_action(to->policy), last;
	unsigned count = number_calls(to, abi, &last);
	uint32_t next = 0;
	to->range_count = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct seccomp_verdict *verdict = to->calls[i].verdict;
		uint32_t number = to->calls[i].number;
		if (number < next || (number > last && number < seccomp_abis[abi].apart))
			continue;
		if (number > next)
			add_range(to, base + next, unknown, 0);
		add_range(to, base + number, verdict->action, verdict->first);
		next = number + 1;
	}
	add_range(to, base + next, unknown, 0);
}

static label search(struct compiler *to, unsigned first, unsigned count, bool wide)
{
	if (count == 1) {
		const struct range *range = &to->ranges[first];
		return check_rules(to, range->rule, range->action, wide);
	}
	unsigned half = count / 2;
	label right = search(to, first + half, count - half, wide);
	label left = search(to, first, half, wide);
	return branch(to, BPF_JGE, to->ranges[first + half].number, right, left);
}

static label search_abi(struct compiler *to, unsigned abi)
{
	make_ranges(to, abi);
	return search(to, 0, to->range_count, seccomp_abis[abi].wide);
}

/*
 * The ABIs of one architecture differ by a bit of the number (x86-64 and x32). The kernel takes numbers of
 * an ABI that the policy leaves out as it takes an unknown architecture.
 */
static label search_arch(struct compiler *to, unsigned abi, label kill)
{
	const struct seccomp_abi *own = &seccomp_abis[abi], *other = own + 1;
	label at = search_abi(to, abi);
	if (other->name && other->arch == own->arch) {
		label far = to->policy->abis & 2U << abi ? search_abi(to, abi + 1) : kill;
		at = branch(to, BPF_JGE, other->base, far, at);
	}
	return load(to, offsetof(struct seccomp_data, nr));
}

static void compile(struct compiler *to)
{
	label kill = finish(to, SECCOMP_RET_KILL_THREAD), next = kill;
	for (unsigned abi = SECCOMP_ABIS; abi-- > 0;) {
		const struct seccomp_abi *own = &seccomp_abis[abi];
		if (!own->name || own->base || !(to->policy->abis & 1U << abi))
			continue;
		label at = search_arch(to, abi, kill);
		next = branch(to, BPF_JEQ, own->arch, at, next);
	}
	load(to, offsetof(struct seccomp_data, arch));
}

struct sock_filter *seccomp_compile(const struct seccomp_policy *policy, unsigned short *length)
{
	struct sock_filter *program = NULL;
	struct compiler *to = calloc(1, sizeof(*to));
	if (!to)
		return NULL;
	to->policy = policy;
	compile(to);
	if (!to->full)
		program = malloc(to->count * sizeof(*program));
	if (program) {
		memcpy(program, to->code + BPF_MAXINSNS - to->count, to->count * sizeof(*program));
		*length = (unsigned short)to->count;
	}
	free(to);
	return program;
}

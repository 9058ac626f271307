#include "launcher/cgroup/devices_program.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "rootfs/base/err.h"

enum { RESULT, CONTEXT, TYPE, ACCESS, MAJOR, MINOR }; /* registers; the kernel sets CONTEXT */

/* Jumps whose target is not known yet: to the end of their group, and to the verdict at the very end. */
enum { TO_NEXT = 0x7ffe, TO_ALLOWED = 0x7fff };

enum { PER_RULE = 8, FRAME = 12 };

struct program {
	struct bpf_insn *at;
	size_t length;
};

static void emit(struct program *program, uint8_t code, uint8_t to, uint8_t from, int16_t offset,
		 int32_t value)
{
	program->at[program->length++] = (struct bpf_insn){ code, to, from, offset, value };
}

/* struct bpf_cgroup_dev_ctx: the type in the low half of the first word, the access in its high half. */
static void emit_start(struct program *program)
{
	emit(program, BPF_LDX | BPF_MEM | BPF_W, TYPE, CONTEXT,
	     offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(program, BPF_LDX | BPF_MEM | BPF_W, MAJOR, CONTEXT,
	     offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(program, BPF_LDX | BPF_MEM | BPF_W, MINOR, CONTEXT,
	     offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	emit(program, BPF_ALU | BPF_MOV | BPF_X, ACCESS, TYPE, 0, 0);
	emit(program, BPF_ALU | BPF_RSH | BPF_K, ACCESS, 0, 0, 16);
	emit(program, BPF_ALU | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
}

/* The comparison has 64 bits, the numbers 32: they are sign-extended, so the larger half is unusable. */
static bool is_unusable(const struct device_rule *rule)
{
	return rule->major > INT32_MAX || rule->minor > INT32_MAX;
}

static bool is_same_group(const struct device_rule *a, const struct device_rule *b)
{
	return a->type == b->type && a->major == b->major && a->access == b->access;
}

/* What all rules of a group ask for. */
static void emit_group(struct program *program, const struct device_rule *rule)
{
	if (rule->type != 'a')
		emit(program, BPF_JMP | BPF_JNE | BPF_K, TYPE, 0, TO_NEXT,
		     rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (rule->access != DEVICE_ALL) {
		emit(program, BPF_ALU | BPF_MOV | BPF_X, RESULT, ACCESS, 0, 0);
		emit(program, BPF_ALU | BPF_AND | BPF_K, RESULT, 0, 0, DEVICE_ALL & ~(int32_t)rule->access);
		emit(program, BPF_JMP | BPF_JNE | BPF_K, RESULT, 0, TO_NEXT, 0);
	}
	if (rule->major >= 0)
		emit(program, BPF_JMP | BPF_JNE | BPF_K, MAJOR, 0, TO_NEXT, (int32_t)rule->major);
}

/* Any: a test that always holds. Behind a plain jump the verifier would find code that nothing reaches. */
static void emit_minor(struct program *program, const struct device_rule *rule)
{
	if (rule->minor < 0)
		emit(program, BPF_JMP | BPF_JGE | BPF_K, MINOR, 0, TO_ALLOWED, 0);
	else
		emit(program, BPF_JMP | BPF_JEQ | BPF_K, MINOR, 0, TO_ALLOWED, (int32_t)rule->minor);
}

/* From instruction FIRST on, what is marked WHICH jumps to the end as it is now. */
static void settle(struct program *program, size_t first, int16_t which)
{
	for (size_t i = first; i < program->length; i++)
		if (program->at[i].off == which)
			program->at[i].off = (int16_t)(program->length - i - 1);
}

static void emit_rules(struct program *program, const struct devices *devices)
{
	size_t first = program->length;
	const struct device_rule *group = NULL;
	for (size_t i = 0; i < devices->rule_count; i++) {
		const struct device_rule *rule = &devices->rules[i];
		if (is_unusable(rule))
			continue;
		if (!group || !is_same_group(group, rule)) {
			settle(program, first, TO_NEXT);
			first = program->length;
			emit_group(program, rule);
			group = rule;
		}
		emit_minor(program, rule);
	}
	settle(program, first, TO_NEXT);
}

struct bpf_insn *devices_program(const struct devices *devices, size_t *length)
{
	enum { RULES_MAX = 4000 }; /* a jump reaches 32767 instructions */
	if (devices->rule_count > RULES_MAX) {
		failx("more than %d devices", RULES_MAX);
		return NULL;
	}
	struct program program = { calloc(devices->rule_count * PER_RULE + FRAME, sizeof(*program.at)), 0 };
	if (!program.at) {
		fail("list the devices");
		return NULL;
	}
	emit_start(&program);
	emit_rules(&program, devices);
	emit(&program, BPF_ALU64 | BPF_MOV | BPF_K, RESULT, 0, 0, 0);
	emit(&program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	settle(&program, 0, TO_ALLOWED);
	emit(&program, BPF_ALU64 | BPF_MOV | BPF_K, RESULT, 0, 0, 1);
	emit(&program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	*length = program.length;
	return program.at;
}

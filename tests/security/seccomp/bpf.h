/* What a filter answers, found by interpreting it: the instructions that seccomp filters are made of. */
#ifndef TESTS_SECCOMP_BPF_H
#define TESTS_SECCOMP_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline _Noreturn void bpf_broken(const struct sock_filter *at)
{
	fprintf(stderr, "an instruction that is not expected: %#x\n", at->code);
	exit(2);
}

/* *STEPS grows by the instructions that were run. */
static inline uint32_t bpf_run(const struct sock_filter *filter, unsigned length,
			       const struct seccomp_data *data, unsigned long *steps)
{
	uint32_t a = 0;
	for (const struct sock_filter *at = filter; at < filter + length; at++) {
		++*steps;
		switch (at->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + at->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= at->k;
			break;
		case BPF_JMP | BPF_JA:
			at += at->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += a == at->k ? at->jt : at->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			at += a > at->k ? at->jt : at->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += a >= at->k ? at->jt : at->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			at += a & at->k ? at->jt : at->jf;
			break;
		case BPF_RET | BPF_K:
			return at->k;
		default:
			bpf_broken(at);
		}
	}
	fprintf(stderr, "the filter ends without an answer\n");
	exit(2);
}

#endif

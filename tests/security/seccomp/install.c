/*
 *	install RULES ROUNDS
 *
 * What the default profile costs: wherry's filter, and libseccomp's list and tree for the same rules and ABIs.
 * Medians of ROUNDS turns, one after the other in each turn, every filter in a process of its own.
 */
#include <err.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launcher/seccomp/filter.h"
#include "tests/security/seccomp/bpf.h"
#include "tests/security/seccomp/docker.h"

enum { SUBJECTS = 3, ROUNDS_MAX = 10000, CALLS = 20000 };

/* Nanoseconds of one turn. */
struct turn {
	double compile, install, cached, decided;
};

struct subject {
	const char *name;
	void (*compile)(struct subject *);
	struct sock_filter *code;
	unsigned short length;
	struct turn turns[ROUNDS_MAX];
};

static const char *rules;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void compile_ours(struct subject *subject)
{
	struct seccomp_policy policy;
	if (seccomp_default(&policy, SECCOMP_BUILT_CAPS) < 0)
		errx(2, "the default policy");
	subject->code = seccomp_compile(&policy, &subject->length);
	seccomp_policy_close(&policy);
}

static void compile_theirs(struct subject *subject, int optimize)
{
	static struct docker_filter filter;
	static const uint32_t abis[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32, 0 };
	docker_compile(&filter, rules, seccomp_machine, abis, SECCOMP_BUILT_CAPS, optimize);
	subject->code = filter.code;
	subject->length = (unsigned short)filter.length;
}

static void compile_list(struct subject *subject)
{
	compile_theirs(subject, 1);
}

static void compile_tree(struct subject *subject)
{
	compile_theirs(subject, 2);
}

static double time_calls(long number, long argument)
{
	double start = now();
	for (int i = 0; i < CALLS; i++)
		syscall(number, argument);
	return (now() - start) / CALLS;
}

static void measure(struct subject *subject, struct turn *turn)
{
	double start = now();
	subject->compile(subject);
	turn->compile = now() - start;
	struct sock_fprog program = { subject->length, subject->code };
	start = now();
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) < 0)
		err(2, "install");
	turn->install = now() - start;
	turn->cached = time_calls(SYS_getppid, 0);
	turn->decided = time_calls(SYS_personality, 0xffffffff);
}

static void take_turn(struct subject *subject, struct turn *shared, int round)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		measure(subject, shared);
		_exit(0);
	}
	waitpid(child, &status, 0);
	if (status)
		errx(2, "%s: its process failed", subject->name);
	subject->turns[round] = *shared;
}

static int by_size(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;
	return (a > b) - (a < b);
}

static double median(const struct subject *subject, int rounds, size_t offset)
{
	static double sorted[ROUNDS_MAX];
	for (int i = 0; i < rounds; i++)
		sorted[i] = *(const double *)((const char *)&subject->turns[i] + offset);
	qsort(sorted, (size_t)rounds, sizeof(*sorted), by_size);
	return sorted[rounds / 2];
}

/* The mean number of instructions that are run for a call of x86-64's. */
static double depth(struct subject *subject)
{
	unsigned long steps = 0;
	subject->compile(subject);
	for (int number = 0; number <= 466; number++) {
		struct seccomp_data data = { number, AUDIT_ARCH_X86_64, 0, { 0 } };
		bpf_run(subject->code, subject->length, &data, &steps);
	}
	return (double)steps / 467;
}

static void print(struct subject *subject, int rounds)
{
	double mean = depth(subject);
	printf("%-16s %12u %10.1f %12.1f %12.1f %12.0f %12.0f\n", subject->name, subject->length, mean,
	       median(subject, rounds, offsetof(struct turn, compile)) / 1000,
	       median(subject, rounds, offsetof(struct turn, install)) / 1000,
	       median(subject, rounds, offsetof(struct turn, cached)),
	       median(subject, rounds, offsetof(struct turn, decided)));
}

int main(int argc, char **argv)
{
	static struct subject subjects[SUBJECTS] = {
		{ .name = "wherry", .compile = compile_ours },
		{ .name = "libseccomp, list", .compile = compile_list },
		{ .name = "libseccomp, tree", .compile = compile_tree },
	};
	int rounds = argc == 3 ? atoi(argv[2]) : 0;
	if (rounds < 1 || rounds > ROUNDS_MAX)
		return 2;
	rules = argv[1];
	struct turn *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err(2, "prepare");
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < SUBJECTS; i++)
			take_turn(&subjects[i], shared, round);
	printf("%-16s %12s %10s %12s %12s %12s %12s\n", "", "instructions", "a call", "compile, µs",
	       "install, µs", "getppid, ns", "personality");
	for (int i = 0; i < SUBJECTS; i++)
		print(&subjects[i], rounds);
	return 0;
}

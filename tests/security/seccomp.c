/*
 * Seccomp: the filter that wherry was built with, and profiles in JSON. What the kernel makes of them is in
 * tests/security/seccomp-kernel.c, the comparison with libseccomp in tests/security/seccomp.sh.
 */
#include "launcher/seccomp/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/rights/caps.h"
#include "launcher/seccomp/filter.h"
#include "launcher/seccomp/profile.h"
#include "rootfs/base/err.h"
#include "tests/security/seccomp/bpf.h"
#include "tests/lib/tap.h"

static unsigned long steps;

static uint32_t verdict(const struct seccomp *seccomp, unsigned abi, uint32_t number, uint64_t argument)
{
	struct seccomp_data data = {
		(int)(seccomp_abis[abi].base + number), seccomp_abis[abi].arch, 0, { argument }
	};
	return bpf_run(seccomp->filter, seccomp->length, &data, &steps);
}

static void check_built(void)
{
	struct seccomp built, other;
	struct seccomp_policy policy;
	unsigned short length = 0;
	if (seccomp_default(&policy, SECCOMP_BUILT_CAPS) < 0)
		exit(2);
	struct sock_filter *compiled = seccomp_compile(&policy, &length);
	seccomp_prepare(&built, NULL, caps_default);
	tap_ok(built.length == length && !memcmp(built.filter, compiled, length * sizeof(*compiled)),
	       "is built with what the compiler makes at run time: %u instructions", length);
	tap_ok((caps_default & seccomp_default_caps()) == SECCOMP_BUILT_CAPS,
	       "is built for the capabilities that a container has by default");
	tap_ok(built.flags == SECCOMP_FILTER_FLAG_SPEC_ALLOW, "leaves speculation as it is");
	seccomp_prepare(&other, SECCOMP_BUILTIN, caps_default | 1ULL << CAP_SYS_ADMIN);
	uint32_t mount = seccomp_call_number(CALL_mount, 0);
	tap_ok(verdict(&built, 0, mount, 0) == (SECCOMP_RET_ERRNO | EPERM) &&
		       verdict(&other, 0, mount, 0) == SECCOMP_RET_ALLOW,
	       "lets CAP_SYS_ADMIN mount, and nobody else");
	seccomp_prepare(&other, SECCOMP_UNCONFINED, caps_default);
	tap_ok(!other.filter && seccomp_install(&other) == 0, "has no filter where it is unconfined");
	free(compiled);
	seccomp_policy_close(&policy);
}

static void check_names(void)
{
	bool sorted = true, found = true;
	for (unsigned call = 0; call < CALL_COUNT; call++) {
		found &= seccomp_call_find(seccomp_call_name(call)) == call;
		sorted &= !call || strcmp(seccomp_call_name(call - 1), seccomp_call_name(call)) < 0;
	}
	tap_ok(sorted && found, "finds each of %d calls by its name", CALL_COUNT);
	tap_ok(seccomp_call_find("") == CALL_COUNT && seccomp_call_find("zzz") == CALL_COUNT &&
		       seccomp_call_find("rea") == CALL_COUNT,
	       "finds no others");
}

#define ALL "\"defaultAction\":\"SCMP_ACT_ALLOW\""
#define NONE "\"defaultAction\":\"SCMP_ACT_ERRNO\""
#define RULE(body) "\"syscalls\":[{" body "}]"

static char profile_path[] = "/tmp/wherry-seccomp.XXXXXX";

static void write_profile(const char *text)
{
	int file = open(profile_path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (file < 0 || write(file, text, strlen(text)) != (ssize_t)strlen(text))
		exit(2);
	close(file);
}

/* Reads TEXT for a program with CAP_CHOWN alone, and asks about CALL. */
static uint32_t ask(const char *text, enum seccomp_call call, uint64_t argument)
{
	struct seccomp_policy policy;
	struct seccomp seccomp = { 0 };
	write_profile(text);
	failure_clear();
	if (seccomp_profile_read(&policy, &seccomp.flags, profile_path, 1ULL << CAP_CHOWN) < 0) {
		seccomp_policy_close(&policy);
		return UINT32_MAX;
	}
	struct sock_filter *filter = seccomp_compile(&policy, &seccomp.length);
	seccomp.filter = filter;
	uint32_t answer = verdict(&seccomp, 0, seccomp_call_number(call, 0), argument);
	free(filter);
	seccomp_policy_close(&policy);
	return answer;
}

enum { E = SECCOMP_RET_ERRNO, PERM = SECCOMP_RET_ERRNO | EPERM, NOSYS = SECCOMP_RET_ERRNO | ENOSYS };
#define YES SECCOMP_RET_ALLOW

#define ON_READ "\"names\":[\"read\"],"
#define ARGS(args) "\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" args "]"
#define ARG(op, value, two) \
	"{\"index\":0,\"op\":\"SCMP_CMP_" op "\",\"value\":" value ",\"valueTwo\":" two "}"
#define BIG 0x100000005ULL /* 4294967301 */

static const struct {
	const char *text;
	enum seccomp_call call;
	uint64_t argument;
	uint32_t answer;
	const char *claim;
} answers[] = {
	{ "{" ALL "}", CALL_read, 0, YES, "the default action" },
	{ "{" ALL "}", CALL_rseq_slice_yield, 0, YES, "an allowing default for calls that came later" },
	{ "{" NONE "}", CALL_getpid, 0, NOSYS, "ENOSYS where it names no call that is as new" },
	{ "{" NONE "," RULE("\"names\":[\"mseal\"],\"action\":\"SCMP_ACT_ALLOW\"") "}", CALL_read, 0, PERM,
	  "EPERM below the newest that it names" },
	{ "{" NONE "," RULE("\"names\":[\"mseal\"],\"action\":\"SCMP_ACT_ALLOW\"") "}", CALL_setxattrat, 0,
	  NOSYS, "ENOSYS above the newest that it names" },
	{ "{" NONE ",\"defaultErrnoRet\":13," RULE("\"names\":[\"mseal\"],\"action\":\"SCMP_ACT_LOG\"") "}",
	  CALL_read, 0, E | 13, "defaultErrnoRet" },
	{ "{" ALL "," RULE("\"name\":\"read\",\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":5") "}", CALL_read,
	  0, E | 5, "errnoRet, and name in place of names" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_ERRNO\"") "}", CALL_read, 0, PERM,
	  "EPERM where there is no errnoRet" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_KILL_PROCESS\"") "}", CALL_read, 0,
	  SECCOMP_RET_KILL_PROCESS, "SCMP_ACT_KILL_PROCESS" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_KILL\"") "}", CALL_read, 0,
	  SECCOMP_RET_KILL_THREAD, "SCMP_ACT_KILL" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_TRAP\"") "}", CALL_read, 0, SECCOMP_RET_TRAP,
	  "SCMP_ACT_TRAP" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":7") "}", CALL_read, 0,
	  SECCOMP_RET_TRACE | 7, "SCMP_ACT_TRACE" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_LOG\"") "}", CALL_read, 0, SECCOMP_RET_LOG,
	  "SCMP_ACT_LOG" },
	{ "{" ALL "," RULE("\"names\":[\"no_such_call\"],\"action\":\"SCMP_ACT_ERRNO\"") "}", CALL_read, 0, YES,
	  "nothing of a call that is not there" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_ERRNO\",\"includes\":{\"caps\":[\"CAP_CHOWN\"]}") "}",
	  CALL_read, 0, PERM, "includes.caps" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_ERRNO\","
			   "\"includes\":{\"caps\":[\"CAP_CHOWN\",\"CAP_KILL\"]}") "}",
	  CALL_read, 0, YES, "includes.caps, all of them" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_ERRNO\","
			   "\"excludes\":{\"caps\":[\"CAP_CHOWN\",\"CAP_KILL\"]}") "}",
	  CALL_read, 0, YES, "excludes.caps, any of them" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_ERRNO\",\"excludes\":{\"caps\":[\"CAP_KILL\"]}") "}",
	  CALL_read, 0, PERM, "excludes.caps that are not there" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_ERRNO\",\"includes\":{\"arches\":[\"s390x\"]}") "}",
	  CALL_read, 0, YES, "includes.arches" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_ERRNO\",\"includes\":{\"arches\":"
			   "[\"amd64\",\"arm64\",\"arm\",\"riscv64\"]}") "}",
	  CALL_read, 0, PERM, "includes.arches, this one" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_ERRNO\",\"excludes\":{\"arches\":"
			   "[\"amd64\",\"arm64\",\"arm\",\"riscv64\"]}") "}",
	  CALL_read, 0, YES, "excludes.arches" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_ERRNO\",\"includes\":{\"minKernel\":\"4.8\"}") "}",
	  CALL_read, 0, PERM, "includes.minKernel of the past" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_ERRNO\",\"includes\":{\"minKernel\":\"200.1\"}") "}",
	  CALL_read, 0, YES, "includes.minKernel of the future" },
	{ "{" ALL "," RULE(ON_READ "\"action\":\"SCMP_ACT_ERRNO\",\"excludes\":{\"minKernel\":\"4.8\"}") "}",
	  CALL_read, 0, YES, "excludes.minKernel" },
	{ "{" NONE "," RULE(ARGS(ARG("EQ", "4294967301", "0"))) "}", CALL_read, BIG, YES, "EQ" },
	{ "{" NONE "," RULE(ARGS(ARG("NE", "5", "0"))) "}", CALL_read, 5, PERM, "NE, equal" },
	{ "{" NONE "," RULE(ARGS(ARG("LT", "5", "0"))) "}", CALL_read, 4, YES, "LT, less" },
	{ "{" NONE "," RULE(ARGS(ARG("LT", "5", "0"))) "}", CALL_read, 5, PERM, "LT, equal" },
	{ "{" NONE "," RULE(ARGS(ARG("LE", "5", "0"))) "}", CALL_read, 5, YES, "LE, equal" },
	{ "{" NONE "," RULE(ARGS(ARG("LE", "5", "0"))) "}", CALL_read, 6, PERM, "LE, greater" },
	{ "{" NONE "," RULE(ARGS(ARG("GT", "5", "0"))) "}", CALL_read, 5, PERM, "GT, equal" },
	{ "{" NONE "," RULE(ARGS(ARG("GT", "5", "0"))) "}", CALL_read, 6, YES, "GT, greater" },
	{ "{" NONE "," RULE(ARGS(ARG("GE", "5", "0"))) "}", CALL_read, 5, YES, "GE, equal" },
	{ "{" NONE "," RULE(ARGS(ARG("GE", "5", "0"))) "}", CALL_read, 4, PERM, "GE, less" },
	{ "{" NONE "," RULE(ARGS(ARG("MASKED_EQ", "12", "4"))) "}", CALL_read, 7, YES, "MASKED_EQ" },
	{ "{" NONE "," RULE(ARGS(ARG("MASKED_EQ", "12", "4"))) "}", CALL_read, 12, PERM,
	  "MASKED_EQ, another bit" },
	{ "{" NONE "," RULE(ARGS(ARG("EQ", "5", "0") "," ARG("EQ", "6", "0"))) "}", CALL_read, 6, YES,
	  "two conditions on one argument, as alternatives" },
	{ "{" NONE "," RULE(ARGS(ARG("EQ", "5", "0") ",{\"index\":1,\"op\":\"SCMP_CMP_EQ\",\"value\":1}")) "}",
	  CALL_read, 5, PERM, "two conditions on two arguments together" },
	{ "{" ALL ",\"syscalls\":[{" ON_READ "\"action\":\"SCMP_ACT_TRAP\"},"
	  "{" ON_READ "\"action\":\"SCMP_ACT_ERRNO\"}]}", CALL_read, 0, SECCOMP_RET_TRAP,
	  "the first of two actions without conditions" },
	{ "{" NONE ",\"syscalls\":[{" ON_READ "\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" ARG("EQ", "5", "0") "]},"
	  "{" ON_READ "\"action\":\"SCMP_ACT_TRAP\"},{" ON_READ "\"action\":\"SCMP_ACT_ALLOW\"}]}",
	  CALL_read, 5, SECCOMP_RET_TRAP, "an action without conditions instead of those with" },
};

static void check_answers(void)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		uint32_t answer = ask(answers[i].text, answers[i].call, answers[i].argument);
		tap_ok(answer == answers[i].answer, "a profile has %s", answers[i].claim);
		if (answer != answers[i].answer)
			printf("# got %#x, wanted %#x: %s\n", answer, answers[i].answer,
			       failure_get()->text);
	}
}

/* Where arguments have 64 bits, all of them count. */
static const struct {
	const char *operator, *value;
	uint64_t argument;
	uint32_t answer;
} wide[] = {
	{ "EQ", "5", BIG, PERM }, { "NE", "5", BIG, YES }, { "LT", "6", BIG, PERM },
	{ "LE", "6", BIG, PERM }, { "GT", "6", BIG, YES }, { "GE", "6", BIG, YES },
	{ "GT", "4294967300", BIG, YES }, { "GT", "4294967301", BIG, PERM },
	{ "GE", "4294967301", BIG, YES }, { "LT", "4294967301", BIG, PERM },
	{ "LE", "4294967301", BIG, YES }, { "LT", "4294967301", 6, YES }, { "GE", "4294967301", 6, PERM },
	{ "MASKED_EQ", "8589934591", 5, PERM }, { "MASKED_EQ", "4294967296", 5, YES },
	{ "MASKED_EQ", "4294967296", BIG, PERM },
};

static void check_wide(void)
{
	for (size_t i = 0; seccomp_abis[0].wide && i < sizeof(wide) / sizeof(*wide); i++) {
		char text[512];
		snprintf(text, sizeof(text),
			 "{" NONE "," RULE(ARGS("{\"index\":0,\"op\":\"SCMP_CMP_%s\",\"value\":%s}")) "}",
			 wide[i].operator, wide[i].value);
		tap_ok(ask(text, CALL_read, wide[i].argument) == wide[i].answer,
		       "compares 64 bits: %#llx %s %s", (unsigned long long)wide[i].argument,
		       wide[i].operator, wide[i].value);
	}
}

static const struct {
	const char *text, *said;
} refused[] = {
	{ "", "it is no JSON" },
	{ "[]", "defaultAction" },
	{ "{}", "defaultAction" },
	{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "defaultAction: 'SCMP_ACT_NOTIFY' is not one" },
	{ "{" NONE ",\"defaultErrnoRet\":5000}", "defaultErrnoRet: it is not in" },
	{ "{" NONE ",\"defaultErrnoRet\":-1}", "defaultErrnoRet: it is not in" },
	{ "{" NONE ",\"flags\":[\"SECCOMP_FILTER_FLAG_X\"]}", "flags: 'SECCOMP_FILTER_FLAG_X'" },
	{ "{" NONE ",\"architectures\":[\"SCMP_ARCH_X86\"],\"archMap\":[{}]}", "exclude each other" },
	{ "{" NONE "," RULE(ON_READ "\"action\":\"ALLOW\"") "}", "action: 'ALLOW'" },
	{ "{" NONE "," RULE(ON_READ "\"action\":1") "}", "action: ''" },
	{ "{" NONE "," RULE(ARGS("{\"index\":6,\"op\":\"SCMP_CMP_EQ\",\"value\":1}")) "}", "out of range" },
	{ "{" NONE "," RULE(ARGS("{\"index\":0,\"op\":\"SCMP_CMP_EQ\",\"value\":\"1\"}")) "}",
	  "out of range" },
	{ "{" NONE "," RULE(ARGS("{\"index\":0,\"op\":\"EQ\",\"value\":1}")) "}", "op: 'EQ'" },
	{ "{" NONE "," RULE(ARGS("{},{},{},{},{},{},{}")) "}", "args: more than 6" },
	{ "{" NONE "," RULE(ON_READ "\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"4\"}") "}",
	  "minKernel: '4' is not like" },
};

static void check_refused(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		bool passed = ask(refused[i].text, CALL_read, 0) != UINT32_MAX;
		tap_ok(!passed && strstr(failure_get()->text, refused[i].said) &&
			       strstr(failure_get()->text, profile_path),
		       "refuses a profile: %s", failure_get()->text);
	}
}

static void check_architectures(void)
{
	static const char text[] = "{" ALL ",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]}";
	struct seccomp seccomp;
	write_profile(text);
	if (seccomp_prepare(&seccomp, profile_path, 0) < 0)
		exit(2);
	for (unsigned abi = 0; seccomp_abis[abi].name; abi++)
		tap_ok(verdict(&seccomp, abi, 1, 0) ==
			       (abi ? SECCOMP_RET_KILL_THREAD : SECCOMP_RET_ALLOW),
		       "a profile without architectures %s %s", abi ? "kills" : "lets pass",
		       seccomp_abis[abi].name);
	tap_ok(seccomp.flags == SECCOMP_FILTER_FLAG_LOG, "a profile has its own flags");
}

static void check_needed(void)
{
	struct seccomp seccomp;
	write_profile("{" ALL "," RULE("\"names\":[\"execve\"],\"action\":\"SCMP_ACT_ERRNO\"") "}");
	failure_clear();
	tap_ok(seccomp_prepare(&seccomp, profile_path, 0) < 0 &&
		       strstr(failure_get()->text, "it forbids execve"),
	       "names the call that wherry needs and the profile forbids");
}

/* More conditions than instructions, and jumps that are longer than eight bits. */
static void check_large(void)
{
	char *text = malloc(1 << 20), *at = text;
	struct seccomp seccomp;
	for (int rules = 200; rules <= 4000; rules += 3800) {
		at = text + sprintf(text, "{" ALL ",\"syscalls\":[");
		for (int i = 0; i < rules; i++)
			at += sprintf(at, "%s{" ON_READ "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":%d,\"args\":"
				      "[{\"index\":0,\"op\":\"SCMP_CMP_EQ\",\"value\":%d}]}",
				      i ? "," : "", 2 + i % 500, i);
		sprintf(at, "]}");
		write_profile(text);
		failure_clear();
		int r = seccomp_prepare(&seccomp, profile_path, 0);
		if (rules > 200) {
			tap_ok(r < 0 && strstr(failure_get()->text, "more than 4096 instructions"),
			       "refuses a profile that makes too long a filter");
			break;
		}
		bool right = r == 0;
		for (int i = 0; i < rules && right; i++)
			right = verdict(&seccomp, 0, seccomp_call_number(CALL_read, 0), (uint64_t)i) ==
				(E | (uint32_t)(2 + i % 500));
		tap_ok(right && verdict(&seccomp, 0, seccomp_call_number(CALL_read, 0), 200) == YES &&
			       verdict(&seccomp, 0, seccomp_call_number(CALL_write, 0), 0) == YES,
		       "jumps far: %u instructions", seccomp.length);
	}
	free(text);
}

int main(void)
{
	close(mkstemp(profile_path));
	check_names();
	check_built();
	check_answers();
	check_wide();
	check_refused();
	check_architectures();
	check_needed();
	check_large();
	unlink(profile_path);
	return tap_finish();
}

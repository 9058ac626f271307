#include "launcher/seccomp/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/seccomp/filter.h"
#include "launcher/seccomp/profile.h"
#include "rootfs/base/err.h"

/*
 * As runc where a profile has no flags: before Linux 5.16 a filter also switched a processor's
 * speculative store bypass and indirect branches off for all that it filtered, whether the program runs
 * code of strangers or not. Later kernels don't, and take no notice.
 */
enum { DEFAULT_FLAGS = SECCOMP_FILTER_FLAG_SPEC_ALLOW };

/* For the capabilities that a container has by default: seccomp_build.c wrote it. */
static const struct sock_filter built[] = {
#include SECCOMP_BUILT_FILE
};

/* The one of the two that the init makes: init/sys.h. */
#ifdef __NR_rt_sigtimedwait_time64
#define SIGTIMEDWAIT CALL_rt_sigtimedwait_time64
#else
#define SIGTIMEDWAIT CALL_rt_sigtimedwait
#endif

/*
 * What the launcher and the init still do behind the filter, by any of their names. Without this check a
 * profile that lacks one of them would show as a container that dies.
 */
static const enum seccomp_call needed[][3] = {
	{ CALL_capset }, { CALL_chdir }, { CALL_clone, CALL_vfork, CALL_fork }, { CALL_execve },
	{ CALL_exit_group }, { CALL_fcntl, CALL_fcntl64 }, { CALL_getcwd }, { CALL_kill },
	{ CALL_mmap, CALL_mmap2 }, { CALL_poll, CALL_ppoll, CALL_ppoll_time64 }, { CALL_prctl },
	{ CALL_rt_sigaction }, { CALL_rt_sigprocmask }, { SIGTIMEDWAIT }, { CALL_setgid, CALL_setgid32 },
	{ CALL_setgroups, CALL_setgroups32 }, { CALL_setuid, CALL_setuid32 },
	{ CALL_wait4, CALL_waitid }, { CALL_write },
};

static bool may_be_made(const struct seccomp_policy *policy, enum seccomp_call call)
{
	const struct seccomp_verdict *verdict = &policy->calls[call];
	uint32_t action = verdict->action & SECCOMP_RET_ACTION_FULL;
	if (seccomp_call_number(call, 0) == SECCOMP_NO_NUMBER)
		return false;
	return verdict->first || action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

static int check_needed(const struct seccomp_policy *policy, const char *profile)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		const enum seccomp_call *names = needed[i];
		bool found = may_be_made(policy, names[0]);
		for (int name = 1; name < 3 && names[name] && !found; name++)
			found = may_be_made(policy, names[name]);
		if (found)
			continue;
		failx("seccomp profile %s: it forbids %s", profile, seccomp_call_name(names[0]));
		return hint("wherry itself needs that call to start the program");
	}
	return 0;
}

static int compile(struct seccomp *seccomp, const struct seccomp_policy *policy, const char *profile)
{
	seccomp->filter = seccomp_compile(policy, &seccomp->length);
	if (!seccomp->filter)
		return failx("seccomp profile %s: it makes a filter of more than %d instructions", profile,
			     BPF_MAXINSNS);
	return 0;
}

static int prepare_file(struct seccomp *seccomp, const char *profile, uint64_t caps)
{
	struct seccomp_policy policy;
	int r = seccomp_profile_read(&policy, &seccomp->flags, profile, caps);
	if (r == 0)
		r = check_needed(&policy, profile);
	if (r == 0)
		r = compile(seccomp, &policy, profile);
	seccomp_policy_close(&policy);
	return r;
}

static int prepare_default(struct seccomp *seccomp, uint64_t caps)
{
	struct seccomp_policy policy;
	seccomp->flags = DEFAULT_FLAGS;
	if ((caps & seccomp_default_caps()) == SECCOMP_BUILT_CAPS) {
		seccomp->filter = built;
		seccomp->length = sizeof(built) / sizeof(*built);
		return 0;
	}
	int r = seccomp_default(&policy, caps);
	if (r < 0)
		r = fail("compile the seccomp profile");
	else
		r = compile(seccomp, &policy, SECCOMP_BUILTIN);
	seccomp_policy_close(&policy);
	return r;
}

int seccomp_prepare(struct seccomp *seccomp, const char *profile, uint64_t caps)
{
	*seccomp = (struct seccomp){ .flags = DEFAULT_FLAGS };
	if (!profile || !strcmp(profile, SECCOMP_BUILTIN))
		return prepare_default(seccomp, caps);
	if (!strcmp(profile, SECCOMP_UNCONFINED))
		return 0;
	return prepare_file(seccomp, profile, caps);
}

int seccomp_install(const struct seccomp *seccomp)
{
	struct sock_fprog program = { seccomp->length, (struct sock_filter *)seccomp->filter };
	if (!seccomp->filter)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, seccomp->flags, &program) == 0)
		return 0;
	if (errno == ENOSYS || errno == EINVAL) {
		failx("seccomp: the kernel has no CONFIG_SECCOMP_FILTER");
		return hint("--security-opt seccomp=unconfined runs the program unfiltered");
	}
	return fail("install the seccomp filter");
}

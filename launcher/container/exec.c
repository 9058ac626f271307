#include "launcher/container/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/report.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* The parent may have died just before: then nobody reads our reports any more. */
int become_tied(int report)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fail("tie the container to wherry");
	struct pollfd parent = { report, 0, 0 };
	if (poll(&parent, 1, 0) == 1 && parent.revents & POLLHUP)
		_exit(EXIT_WHERRY);
	return 0;
}

static char *const *complete_env(const struct process *process, const struct user *user)
{
	static char home[sizeof("HOME=") + sizeof(user->home)];
	size_t count = 0;
	if (process->home)
		return process->env;
	while (process->env[count])
		count++;
	char **env = calloc(count + 2, sizeof(*env));
	if (!env)
		return NULL;
	memcpy(env, process->env, count * sizeof(*env));
	snprintf(home, sizeof(home), "HOME=%s", user->home);
	env[count] = home;
	return env;
}

static char *const *init_argv(const struct inside *inside, const struct spec *spec)
{
	static char report[12], stop_signal[12], grace[24];
	const struct process *process = &spec->process;
	size_t count = 0, n = 0;
	while (process->argv[count])
		count++;
	char **argv = calloc(count + 12, sizeof(*argv));
	if (!argv)
		return NULL;
	snprintf(report, sizeof(report), "%d", inside->report);
	argv[n++] = "wherry-init";
	argv[n++] = "--report-fd";
	argv[n++] = report;
	if (process->stop_signal) {
		snprintf(stop_signal, sizeof(stop_signal), "%d", process->stop_signal);
		argv[n++] = "--stop-signal";
		argv[n++] = stop_signal;
	}
	if (process->stop_timeout) {
		/* init has a word for seconds: as milliseconds they could be more digits than it reads */
		bool seconds = process->stop_timeout % 1000 == 0;
		snprintf(grace, sizeof(grace), seconds ? "%llds" : "%lldms",
			 (long long)process->stop_timeout / (seconds ? 1000 : 1));
		argv[n++] = "--grace";
		argv[n++] = grace;
	}
	if (spec->host_pid) {
		/* No namespace ends with init: it has to find its own, and they have to find its end. */
		argv[n++] = "--subreaper";
		argv[n++] = "--pdeathsig";
		argv[n++] = "KILL";
	}
	argv[n++] = "--";
	memcpy(argv + n, process->argv, count * sizeof(*argv));
	return argv;
}

/* The signals that are ignored, signal N as bit N - 1; PROC is our own procfs; all of them where it does not tell. */
static uint64_t ignored_signals(int proc)
{
	char text[4096];
	scoped_fd file = openat(proc, "self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = file < 0 ? 0 : read(file, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	const char *line = strstr(text, "\nSigIgn:");
	return line ? strtoull(line + strlen("\nSigIgn:"), NULL, 16) : ~0ULL;
}

/*
 * None ignored, none blocked: a shell's background jobs have INT ignored, a service has PIPE, and that would
 * outlast every exec(2). The libc's sigaction(3) refuses those that it keeps for itself.
 */
static void reset_signals(int proc)
{
	static const unsigned long as_usual[8]; /* the kernel's struct sigaction, on each architecture */
	uint64_t ignored = ignored_signals(proc);
	sigset_t none;
	for (int sig = 1; sig <= 64; sig++)
		if (ignored >> (sig - 1) & 1)
			syscall(SYS_rt_sigaction, sig, as_usual, NULL, sizeof(uint64_t));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* --no-init: what init would do for it, the program does without; its search and its 126 and 127 not. */
static int become_program(const struct inside *inside, const struct process *process, char *const *env)
{
	struct report report = { REPORT_NOT_RUN, 0 };
	environ = (char **)env;
	execvp(process->argv[0], process->argv);
	report.value = errno;
	if (write(inside->report, &report, sizeof(report)) < 0)
		return fail("run %s", process->argv[0]);
	poll(NULL, 0, 1000); /* as the init: the parent looks at what is here */
	_exit(EXIT_NOT_FOUND);
}

int become_init(const struct inside *inside, const struct spec *spec, const struct user *user)
{
	const struct process *process = &spec->process;
	char *const *argv = init_argv(inside, spec);
	char *const *env = complete_env(process, user);
	if (!argv || !env)
		return fail("build the init's arguments");
	if (become_tied(inside->report) < 0)
		return -1;
	umask(process->umask < 0 ? 022 : (mode_t)process->umask);
	reset_signals(inside->mounts.proc);
	if (process->no_init)
		return become_program(inside, process, env);
	if (fcntl(inside->report, F_SETFD, 0) < 0)
		return fail("hand the report on to the init");
	fexecve(inside->init, argv, env);
	/* ENOENT: Linux 5.10 wants a path for a descriptor that exec closes */
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", inside->init);
	execve(path, argv, env);
	return fail("execute the init");
}

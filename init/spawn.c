/*
 * The start of the program. The child shares our memory until it executes the program
 * (vfork(2)): it makes system calls, and writes nothing but `failed`.
 */
#include "init/machine.h"

#include <linux/sched.h>

/* Milliseconds in which whoever reads our reports can still see, as /proc/PID/root, why there is no program. */
enum { LOOK = 1000 };

static struct {
	const char *name; /* what could not be used */
	int error;        /* 0: the program runs */
} volatile failed;

static _Noreturn void give_up(const char *name, int error)
{
	failed.name = name;
	failed.error = -error;
	sys_exit(EXIT_NOT_FOUND);
}

/* The program may be killed for memory before we are; a vfork child's own score (Linux 4.8). */
static void restore_oom_score(void)
{
	static const char file[] = "/proc/self/oom_score_adj";
	const char *score = opt.oom_score_adj;
	int fd, error;

	if (!score)
		return;
	error = fd = sys_open(file, O_WRONLY);
	if (fd >= 0) {
		error = sys_write(fd, score, next_string(score) - 1 - score);
		sys_close(fd);
	}
	if (error < 0)
		say("", file, -error);
}

/* As a record asks for it. Whoever isn't root keeps no capability (capabilities(7)). */
static void become_user(void)
{
	int *groups = program.ids + 1;
	/* the primary one among them, as after a login */
	int error = syscall2(NR_SETGROUPS, program.nids - (program.nids > 1), (long)groups);

	error |= syscall1(NR_SETGID, *groups);
	error |= syscall1(NR_SETUID, program.ids[0]);
	if (error < 0)
		give_up("--user", -EPERM);
}

/* Signals come through only here, with everything else in place. */
static _Noreturn void become_program(void)
{
	int error;

	if (is_machine)
		console_enter();
	else
		terminal_enter();
	restore_oom_score();
	if (program.nids)
		become_user();
	if (opt.cwd && (error = sys_chdir(opt.cwd)) < 0)
		give_up(opt.cwd, error);
	sys_sigaction(SIGCHLD, &program.chld, NULL);
	sys_sigprocmask(SIG_SETMASK, &program.mask, NULL);
	give_up(program.argv[0], program_exec());
}

int program_start(void)
{
	siginfo_t info;
	int pid;

	failed.error = 0;
	terminal_prepare();
	pid = sys_vfork();
	if (pid == 0)
		become_program();
	terminal_started();
	if (pid < 0) {
		failed.name = program.argv[0];
		failed.error = -pid;
	}
	if (!failed.error) {
		program.pid = pid;
		report(REPORT_STARTED, pid);
		return 0;
	}
	report(REPORT_NOT_RUN, failed.error);
	if (!opt.report_fd)
		say("", failed.name, failed.error);
	else
		signals_next(SIGBIT(SIGTERM), &info, LOOK);
	return failed.error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

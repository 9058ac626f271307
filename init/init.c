/*
 * wherry-init: PID 1 of a container, or of a machine.
 *
 * It starts one program, hands it every signal, buries every orphan, and when the program
 * has ended ends what is left. All signals are blocked from the first moment on, and
 * taken one by one in one place, supervise(). It waits without a time-out, holds no
 * descriptors but those it was told to, and needs no privilege.
 */
#include "init/machine.h"

#include <linux/prctl.h>
#include <linux/wait.h>

/* As many are buried before signals that came meanwhile are looked at. */
enum { BATCH = 64 };

/* --pdeathsig KILL where that would leave the program behind: our own news of it, which nobody else has a use for. */
enum { ORPHANED = SIGSTKFLT };

struct program program;
bool is_pid1, is_machine;

void report(enum report_kind kind, int value)
{
	const struct report record = { kind, value };

	if (opt.report_fd)
		put(opt.report_fd, &record, sizeof(record));
}

_Noreturn void quit(int status)
{
	if (is_machine)
		machine_down(status, POWEROFF);
	sys_exit(status);
}

_Noreturn void refuse(const char *what, const char *name, int error)
{
	say(what, name, error);
	quit(EXIT_USAGE);
}

/* STATUS as wait4(2) gives it. */
static void program_changed(int status)
{
	int sig = status & 0x7f, code = status >> 8 & 0xff;

	if (sig == 0x7f) {
		report(REPORT_STOPPED, code);
		if (!opt.report_fd)
			terminal_stopped(code);
		return;
	}
	terminal_leave();
	program.pid = 0;
	program.status = sig ? 128 + sig : code;
	if (sig)
		report(status & 0x80 ? REPORT_DUMPED : REPORT_KILLED, sig);
	else
		report(REPORT_EXITED, code);
}

static enum left { NOBODY, SOMEBODY, MORE_TO_BURY } bury(void)
{
	for (int i = 0; i < BATCH; i++) {
		int status, pid = sys_wait4(-1, &status, WNOHANG | WUNTRACED | __WALL);

		if (pid <= 0)
			return pid ? NOBODY : SOMEBODY;
		if (pid == program.pid)
			program_changed(status);
	}
	return MORE_TO_BURY;
}

static void handle(int sig, const siginfo_t *info)
{
	/* the kernel's own news of a child; anybody else's is for the program */
	if (sig == SIGCHLD && info->si_code > 0)
		return;
	if (is_machine && machine_handle(sig))
		return;
	if (sig == opt.pdeathsig && sig == ORPHANED) {
		opt.grace = 0;
		drain_begin();
		return;
	}
	signals_forward(sig, info);
	if (sig == opt.stop_signal && opt.grace && program.pid)
		drain_begin();
}

/* Milliseconds until something is to be done without a signal, or -1. */
static int due(void)
{
	int drain = drain_due(), watchdog = watchdog_due();

	return watchdog < 0 || (drain >= 0 && drain < watchdog) ? drain : watchdog;
}

/*
 * Until the program has ended and nothing is left to wait for. SIGCHLD has a lower number
 * than others and would always be given first: when one has been dealt with, those
 * others come first, so that a storm of orphans holds none of them up.
 */
static void supervise(void)
{
	enum left left = MORE_TO_BURY;
	bool others_first = false;

	for (;;) {
		siginfo_t info;
		int sig;

		if (left == MORE_TO_BURY && !others_first) {
			left = bury();
			others_first = true;
		}
		if (drain_over(left != NOBODY))
			return;
		sig = signals_next(others_first ? ~SIGBIT(SIGCHLD) : ~0ULL, &info,
				   others_first ? 0 : due());
		if (sig > 0)
			handle(sig, &info);
		else
			others_first = false;
		if (sig == SIGCHLD)
			left = MORE_TO_BURY;
		drain_step();
		watchdog_feed();
	}
}

/*
 * The program has its copies: whatever file system or pipe they belong to is not held by us.
 * The kernel gives a machine's init nothing to hold, and the watchdog is to be kept.
 */
static void let_go(void)
{
	if (is_machine)
		return;
	sys_chdir("/");
	if (opt.report_fd < 3) {
		sys_close_range(3, ~0U);
		return;
	}
	if (opt.report_fd > 3)
		sys_close_range(3, opt.report_fd - 1);
	sys_close_range(opt.report_fd + 1, ~0U);
}

/* Starts the program and stays with it; returns the exit status. */
int run(void)
{
	program.status = program_start();
	if (!program.pid)
		quit(program.status);
	let_go();
	supervise();
	return program.status ^ opt.remap[program.status];
}

static void prepare(void)
{
	sys_prctl(PR_SET_NAME, (long)"wherry-init", 0);
	if (opt.pdeathsig == SIGKILL)
		opt.pdeathsig = ORPHANED;
	if (opt.pdeathsig)
		sys_prctl(PR_SET_PDEATHSIG, opt.pdeathsig, 0);
	if (opt.subreaper)
		sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0);
	if (opt.report_fd)
		sys_fcntl(opt.report_fd, F_SETFD, FD_CLOEXEC);
}

/* STACK holds argc, argv, NULL, envp, NULL. */
__attribute__((used)) _Noreturn void init_start(long *stack)
{
	char **argv = (char **)(stack + 1);

	signals_take();
	opt.stop_signal = SIGTERM;
	program.envp = argv + *stack + 1;
	is_pid1 = sys_getpid() == 1;
	is_machine = is_pid1 && machine_is_ours();
	if (is_machine)
		machine_start();
	program.argv = options_read(argv + (*stack > 0));
	if (is_machine && !*program.argv)
		program.argv = options_read(record_read());
	if (!*program.argv)
		refuse("no program given", "", 0);
	prepare();
	if (is_machine)
		machine_run();
	quit(run());
}

#include "launcher/supervise.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/idle.h"
#include "rootfs/err.h"
#include "rootfs/scoped.h"

/*
 * All 64 signals of the kernel: sigfillset leaves out those that the libc keeps for itself. One mask
 * for rt_sigprocmask, another, of the same bits, for signalfd.
 */
static const uint64_t every_signal = ~0ULL;

void supervise_block(void)
{
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &every_signal, NULL, sizeof(every_signal));
}

/* Returns 1; 0 at the end of the pipe; -1 with a failure. */
static int read_report(int from, struct report *report)
{
	ssize_t n = read(from, report, sizeof(*report));
	if (n == 0)
		return 0;
	return n == sizeof(*report) ? 1 : fail("read the container's report");
}

static int take_failure(int from)
{
	struct failure failure;
	if (read(from, &failure, sizeof(failure)) != sizeof(failure))
		return failx("the container failed and could not say why");
	return failure_take(&failure);
}

int supervise_start(int from, struct outcome *outcome)
{
	struct report report;
	int r = read_report(from, &report);
	if (r < 0)
		return -1;
	if (r == 0)
		return 0;
	if (report.kind == REPORT_FAILED)
		return take_failure(from);
	outcome->kind = report.kind;
	outcome->value = report.value;
	return 0;
}

/* A signal with a value keeps it: sigqueue(3). */
static void forward(pid_t init, const struct signalfd_siginfo *from)
{
	if (from->ssi_code != SI_QUEUE) {
		kill(init, (int)from->ssi_signo);
		return;
	}
	siginfo_t info = { 0 };
	info.si_signo = (int)from->ssi_signo;
	info.si_code = SI_QUEUE;
	info.si_pid = (pid_t)from->ssi_pid;
	info.si_uid = from->ssi_uid;
	info.si_value.sival_ptr = (void *)(uintptr_t)from->ssi_ptr;
	syscall(SYS_rt_sigqueueinfo, init, info.si_signo, &info);
}

/* Ctrl-Z reached wherry alone: the container is in a session of its own. Both stop. */
static void stop_with(pid_t init, const struct signalfd_siginfo *info)
{
	forward(init, info);
	raise(SIGSTOP);
}

static int pass_signal(int signals, const struct supervision *with)
{
	struct signalfd_siginfo info;
	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return errno == EAGAIN ? 0 : fail("read a signal");
	switch (info.ssi_signo) {
	case SIGCHLD: /* init's end shows at its pidfd */
		return 0;
	case SIGTSTP:
		stop_with(with->init, &info);
		return 0;
	case SIGWINCH: /* with a terminal, the kernel tells the programs at its other end */
		if (with->terminal->master >= 0) {
			terminal_resize(with->terminal);
			return 0;
		}
		break;
	}
	forward(with->init, &info);
	return 0;
}

/* Returns 1, or 0 at the end of the pipe. */
static int take_report(int from, struct outcome *outcome)
{
	struct report report;
	int r = read_report(from, &report);
	if (r > 0 && report.kind != REPORT_STOPPED) {
		outcome->kind = report.kind;
		outcome->value = report.value;
	}
	return r;
}

enum { END, SIGNALS, REPORT, TERMINAL, WAITS = TERMINAL + TERMINAL_WAITS };

static int pass_until_end(int signals, const struct supervision *with, struct outcome *outcome)
{
	struct pollfd waits[WAITS] = {
		[END] = { with->end, POLLIN, 0 },
		[SIGNALS] = { signals, POLLIN, 0 },
		[REPORT] = { with->report, POLLIN, 0 },
	};
	for (;;) {
		terminal_waits(with->terminal, &waits[TERMINAL]);
		if (idle_poll(waits, WAITS) < 0)
			return fail("wait for the container");
		if (waits[SIGNALS].revents && pass_signal(signals, with) < 0)
			return -1;
		terminal_move(with->terminal, &waits[TERMINAL]);
		if (waits[REPORT].revents) {
			int r = take_report(with->report, outcome);
			if (r < 0)
				return -1;
			if (r == 0)
				waits[REPORT].fd = -1;
		} else if (waits[END].revents) {
			return 0;
		}
	}
}

int supervise_wait(const struct supervision *with, struct outcome *outcome)
{
	scoped_fd signals = (int)syscall(SYS_signalfd4, -1, &every_signal, sizeof(every_signal),
					 SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return fail("watch for signals");
	return pass_until_end(signals, with, outcome);
}

int supervise_reap(const struct supervision *with, struct outcome *outcome)
{
	if (wait4(with->init, &outcome->status, 0, &outcome->usage) < 0)
		return fail("wait for the container's init");
	return 0;
}

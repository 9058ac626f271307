#include "launcher/supervise/supervise.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/supervise/front.h"
#include "launcher/supervise/idle.h"
#include "launcher/supervise/signals.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

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

/*
 * Ctrl-Z reached wherry alone: the container is in a session of its own. Both stop, unless there is no shell
 * to continue them. Who sends the signal with kill(1) can.
 */
static int stop_with(const struct supervision *with, const struct signalfd_siginfo *info)
{
	signals_forward(with->init, info);
	terminal_cook(with->terminal);
	if (info->ssi_code != SI_KERNEL)
		raise(SIGSTOP);
	else if (!signals_stop(SIGTSTP))
		kill(with->init, SIGCONT);
	return terminal_raw(with->terminal);
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
		return stop_with(with, &info);
	case SIGCONT: /* in the background the program would read what is typed to the shell */
		if (with->input)
			terminal_come_forward(SIGTTIN);
		break;
	case SIGWINCH: /* with a terminal, the kernel tells the programs at its other end */
		if (with->terminal->master >= 0) {
			terminal_resize(with->terminal);
			return 0;
		}
		break;
	}
	signals_forward(with->init, &info);
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

enum { END, SIGNALS, REPORT, FRONT, TERMINAL, WAITS = TERMINAL + TERMINAL_WAITS };

static int pass_until_end(int signals, const struct supervision *with, struct outcome *outcome)
{
	struct pollfd waits[WAITS] = {
		[END] = { with->end, POLLIN, 0 },
		[SIGNALS] = { signals, POLLIN, 0 },
		[REPORT] = { with->report, POLLIN, 0 },
		[FRONT] = { with->front ? *with->front : -1, POLLIN, 0 },
	};
	for (;;) {
		terminal_waits(with->terminal, &waits[TERMINAL]);
		if (idle_poll(waits, WAITS) < 0)
			return fail("wait for the container");
		if (waits[SIGNALS].revents && pass_signal(signals, with) < 0)
			return -1;
		terminal_move(with->terminal, &waits[TERMINAL]);
		if (waits[FRONT].revents) {
			if (front_leave(with->front, with->terminal, with->name) < 0)
				return -1;
			waits[FRONT].fd = -1;
		}
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
	scoped_fd signals = signals_open();
	if (signals < 0)
		return -1;
	return pass_until_end(signals, with, outcome);
}

int supervise_reap(const struct supervision *with, struct outcome *outcome)
{
	if (wait4(with->init, &outcome->status, 0, &outcome->usage) < 0)
		return fail("wait for the container's init");
	return 0;
}

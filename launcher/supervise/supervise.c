#include "launcher/supervise/supervise.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/supervise/front.h"
#include "launcher/supervise/idle.h"
#include "launcher/supervise/signals.h"
#include "rootfs/base/descriptor.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/*
 * More than a program is stopped and continued by job control in a day. What comes beyond is not waited for any more:
 * each record wakes us, and a container's root may have got hold of the socket (pidfd_getfd(2), with CAP_SYS_PTRACE).
 */
enum { RECORDS_MAX = 4096 };

/* What goes through the socket to the parent, in one piece: a byte and a descriptor, or this. */
struct message {
	struct report report; /* REPORT_FAILED */
	struct failure failure;
};

void supervise_fail(int socket)
{
	struct message message = { .report.kind = REPORT_FAILED, .failure = *failure_get() };
	if (send(socket, &message, sizeof(message), MSG_NOSIGNAL) < 0)
		failure_print(); /* the parent is gone */
}

static int take_failure(struct message *message, ssize_t size)
{
	int *status = &message->failure.status;
	if (size != sizeof(*message) || message->report.kind != REPORT_FAILED)
		return failx("a process of wherry's could not say why it failed");
	if (*status < EXIT_WHERRY || *status > EXIT_NOT_FOUND)
		*status = EXIT_WHERRY;
	return failure_take(&message->failure);
}

/*
 * Takes what the processes at the other end, which have ended or become the init, have sent: what is to be the
 * program's standard input and output, and why they failed. Returns 0, or -1 with that failure.
 */
static int take_sent(int socket, struct terminal *terminal)
{
	struct message message;
	ssize_t n;
	int descriptor, r = 0;
	while (r == 0) {
		n = descriptor_receive_message(socket, &message, sizeof(message), MSG_DONTWAIT, &descriptor);
		if (n < 0 && errno == ECONNRESET) /* said once, first, where it has not read its "go" (unix(7)) */
			continue;
		if (n <= 0)
			break;
		r = descriptor < 0 ? take_failure(&message, n)
				   : terminal_take(terminal, *(unsigned char *)&message, descriptor);
	}
	return r;
}

static bool is_within(const struct report *report, int least, int most)
{
	return report->value >= least && report->value <= most;
}

/* Whether that may be the next record: of what the init can know by then, with a number that there is. */
static bool may_follow(const struct outcome *outcome, const struct report *report)
{
	bool runs = outcome->kind == REPORT_STARTED;
	switch (report->kind) {
	case REPORT_NOT_RUN:
		return !outcome->kind && is_within(report, 1, 4095); /* MAX_ERRNO, linux/err.h */
	case REPORT_STARTED:
		return !outcome->kind;
	case REPORT_EXITED:
		return runs && is_within(report, 0, 255);
	case REPORT_STOPPED:
	case REPORT_KILLED:
	case REPORT_DUMPED:
		return runs && is_within(report, 1, 64); /* _NSIG, asm-generic/signal.h */
	default:
		return false; /* FAILED comes from the launcher's child, through another socket */
	}
}

/*
 * Takes one record, without waiting. Returns 1; 0 where none will follow: at the end, or where that can't be the
 * init's, which closes the socket for whoever wrote it.
 */
static int take_report(int socket, struct outcome *outcome)
{
	struct report report;
	ssize_t n = recv(socket, &report, sizeof(report), MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n != sizeof(report) || !may_follow(outcome, &report) || ++outcome->records > RECORDS_MAX) {
		shutdown(socket, SHUT_RDWR);
		return 0;
	}
	if (report.kind == REPORT_STOPPED)
		return 1;
	outcome->kind = report.kind;
	outcome->value = report.value;
	return 1;
}

static int end_start(int signals)
{
	struct signalfd_siginfo info;
	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return fail("read a signal");
	return fail_status(128 + (int)info.ssi_signo, "ended by signal %u before the program ran", info.ssi_signo);
}

static int end_aside(struct aside_process *aside)
{
	int status;
	if (take_sent(aside->socket, NULL) < 0)
		return -1;
	if (waitpid(aside->pid, &status, 0) < 0)
		return fail("wait for a process of wherry's");
	aside->pid = 0;
	return status ? failx("a process of wherry's was killed") : 0;
}

int supervise_start(const struct supervision *with, struct outcome *outcome)
{
	scoped_fd signals = signals_open_end();
	struct pollfd waits[] = { { signals, POLLIN, 0 }, { with->aside->socket, POLLIN, 0 }, { with->report, POLLIN, 0 } };
	if (signals < 0)
		return -1;
	for (;;) {
		if (poll(waits, 3, -1) < 0)
			return fail("wait for the container's start");
		if (waits[1].revents) {
			if (end_aside(with->aside) < 0)
				return -1;
			waits[1].fd = -1;
		}
		if (waits[2].revents && (take_report(with->report, outcome) == 0 || outcome->kind))
			return take_sent(with->go_socket, with->terminal);
		if (waits[0].revents)
			return end_start(signals);
	}
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
	terminal_heard(with->terminal, info.ssi_signo);
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

enum { END, SIGNALS, REPORT, FRONT, TERMINAL, WAITS = TERMINAL + TERMINAL_WAITS };

static int pass_until_end(int signals, const struct supervision *with, struct outcome *outcome)
{
	struct pollfd waits[WAITS] = {
		[END] = { with->init_pidfd, POLLIN, 0 },
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
		if (terminal_is_lost(with->terminal))
			terminal_hang_up(with->terminal);
		if (waits[FRONT].revents) {
			if (front_hear(with->front, with->terminal, with->name) < 0)
				return -1;
			waits[FRONT].fd = *with->front;
		}
		if (waits[REPORT].revents) {
			if (take_report(with->report, outcome) == 0)
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

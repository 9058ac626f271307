#include "launcher/supervise/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "launcher/supervise/signals.h"
#include "launcher/supervise/standard.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* Milliseconds for what is left, once the end has been asked for: a terminal may take no output for ever (XOFF). */
enum { FLUSH_MAX = 2000 };

/* ENOTTY: our own output goes to no terminal, and the container's keeps the size it has. */
void terminal_copy_size(int master)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

static bool in_background(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO); /* -1: it is not our session's */
	return group >= 0 && group != getpgrp();
}

bool terminal_asks_to_end(unsigned signal)
{
	return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

static bool end_is_pending(void)
{
	sigset_t pending;
	if (sigpending(&pending) < 0)
		return false;
	for (int signal = SIGHUP; signal <= SIGTERM; signal++)
		if (terminal_asks_to_end((unsigned)signal) && sigismember(&pending, signal) == 1)
			return true;
	return false;
}

/* To who blocks these signals the kernel gives the terminal, under the hands of the shell. */
bool terminal_come_forward(int signal)
{
	while (in_background()) {
		if (end_is_pending())
			return false;
		kill(0, signal); /* a job is stopped when all of it is */
		if (!signals_stop(signal))
			return true; /* for nobody, or it is ignored */
	}
	return true;
}

void terminal_await(void)
{
	sigset_t mask;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	signals_block();
	terminal_come_forward(SIGTTIN);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

int terminal_raw(struct terminal *terminal)
{
	if (terminal->master < 0 || terminal->in.from < 0 || terminal->raw)
		return 0;
	if (!terminal_come_forward(SIGTTOU))
		return 0;
	if (tcgetattr(STDIN_FILENO, &terminal->before) < 0)
		return fail("read the terminal's settings");
	struct termios raw = terminal->before;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return fail("change the terminal's settings");
	terminal->raw = true;
	return 0;
}

void terminal_cook(struct terminal *terminal)
{
	if (terminal->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal->before);
	terminal->raw = false;
}

int terminal_hold(struct terminal *terminal, int master)
{
	terminal->master = master;
	/* Else it would be at its end, for us, when all programs have closed it: some inits open it again. */
	terminal->slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return terminal->slave < 0 ? fail("hold the terminal") : 0;
}

int terminal_take(struct terminal *terminal, int standard, int descriptor)
{
	if (standard == STANDARD_TERMINAL)
		return terminal_hold(terminal, descriptor);
	terminal->pipes[standard] = descriptor;
	return 0;
}

/* A program that doesn't read must not keep us from showing what it writes; nor one that reads its own output. */
static int unblock(int fd)
{
	return fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? fail("prepare the terminal") : 0;
}

static void connect(struct relay *relay, int from, struct output to, char *bytes)
{
	relay_close(relay);
	*relay = (struct relay){ .from = from, .to = to, .bytes = bytes };
}

static struct output output_of(int fd)
{
	struct output output = OUTPUT_NONE;
	output.fd = fd;
	return output;
}

int terminal_connect(struct terminal *terminal, bool input)
{
	/* Not in struct terminal: most containers have none, and a launch would clear these for them. */
	static char in[KEYS_MAX + RELAY_BUFFER], out[RELAY_BUFFER], err[RELAY_BUFFER];
	bool own = terminal->master >= 0;
	int to = own ? terminal->master : terminal->pipes[STDIN_FILENO];
	int from = own ? terminal->master : terminal->pipes[STDOUT_FILENO];
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		if (unblock(terminal->pipes[i]) < 0)
			return -1;
	if (unblock(terminal->master) < 0)
		return -1;
	terminal->input_is_terminal = input && isatty(STDIN_FILENO);
	connect(&terminal->in, input && to >= 0 ? STDIN_FILENO : -1, output_of(to), in);
	terminal->in.keys = terminal->keys;
	if (from >= 0)
		connect(&terminal->out, from, output_open(STDOUT_FILENO), out);
	if (terminal->pipes[STDERR_FILENO] >= 0)
		connect(&terminal->err, terminal->pipes[STDERR_FILENO], output_open(STDERR_FILENO), err);
	return terminal_raw(terminal);
}

void terminal_resize(const struct terminal *terminal)
{
	if (terminal->master >= 0)
		terminal_copy_size(terminal->master);
}

void terminal_heard(struct terminal *terminal, unsigned signal)
{
	terminal->asked_to_end |= terminal_asks_to_end(signal);
	terminal->doubtful |= signal == SIGHUP;
}

void terminal_waits(const struct terminal *terminal, struct pollfd *waits)
{
	waits[0] = relay_wait(&terminal->in);
	waits[1] = relay_wait(&terminal->out);
	waits[2] = relay_wait(&terminal->err);
}

/*
 * Standard input has ended. In the background the kernel says EIO to who blocks SIGTTIN: we stop, as any program that
 * reads there does, and read on in front. What ends for good ends for the program.
 */
static void end_input(struct terminal *terminal)
{
	int *pipe = &terminal->pipes[STDIN_FILENO];
	if (*pipe < 0 || terminal->in.from >= 0)
		return;
	if (in_background() && terminal_come_forward(SIGTTIN) && !in_background()) {
		terminal->in.from = STDIN_FILENO;
	} else if (relay_is_empty(&terminal->in)) {
		relay_close(&terminal->in);
		close(take_fd(pipe));
	}
}

void terminal_move(struct terminal *terminal, const struct pollfd *waits)
{
	struct relay *relays[TERMINAL_WAITS] = { &terminal->in, &terminal->out, &terminal->err };
	for (int i = 0; i < TERMINAL_WAITS; i++) {
		if (waits[i].revents)
			relay_move(relays[i]);
		terminal->doubtful |= relays[i]->broken;
		relays[i]->broken = false;
	}
	end_input(terminal);
}

bool terminal_is_lost(struct terminal *terminal)
{
	struct pollfd input = { terminal->input_is_terminal ? STDIN_FILENO : -1, 0, 0 };
	if (terminal->master < 0 || !terminal->doubtful)
		return false;
	terminal->doubtful = false;
	return (poll(&input, 1, 0) == 1 && input.revents & POLLHUP) || output_is_hung_up(&terminal->out.to);
}

static void close_all(struct terminal *terminal)
{
	relay_close(&terminal->in);
	relay_close(&terminal->out);
	relay_close(&terminal->err);
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
		scoped_close(&terminal->pipes[i]);
		terminal->pipes[i] = -1;
	}
	scoped_close(&terminal->slave);
	scoped_close(&terminal->master);
	terminal->slave = terminal->master = -1;
}

void terminal_hang_up(struct terminal *terminal)
{
	terminal_cook(terminal);
	close_all(terminal);
}

static int64_t milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool is_asked_to_end(int signals)
{
	struct signalfd_siginfo info;
	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return false;
	return terminal_asks_to_end(info.ssi_signo);
}

/* Waits until OUT can be written to, until the time END if it isn't 0; false: whoever asked for the end has waited. */
static bool wait_to_write(int out, int signals, int64_t end)
{
	struct pollfd waits[] = { { out, POLLOUT, 0 }, { signals, POLLIN, 0 } };
	for (;;) {
		int64_t left = end - milliseconds();
		int r = !end || left > 0 ? poll(waits, 2, end ? (int)left : -1) : 0;
		if (r <= 0)
			return false;
		if (waits[0].revents)
			return true;
		if (is_asked_to_end(signals))
			return false;
	}
}

/* The container is gone, but what its programs wrote last may still be on its way. Returns whether all is written. */
static bool flush(struct relay *relay, int signals, int64_t end)
{
	struct pollfd more = { relay->from, POLLIN, 0 };
	while (!relay_is_empty(relay) || (relay->from >= 0 && poll(&more, 1, 0) > 0)) {
		if (!relay_is_empty(relay) && !wait_to_write(relay->to.fd, signals, end))
			return false;
		relay_move(relay);
	}
	return true;
}

void terminal_detach(struct terminal *terminal)
{
	int64_t end = terminal->asked_to_end ? milliseconds() + FLUSH_MAX : 0;
	if (terminal->out.from >= 0 || terminal->err.from >= 0) {
		scoped_fd signals = signals_open();
		if (flush(&terminal->out, signals, end))
			flush(&terminal->err, signals, end);
	}
	terminal_cook(terminal);
	close_all(terminal);
}

#include "launcher/supervise/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "rootfs/base/descriptor.h"
#include "launcher/supervise/signals.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/sys.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41) /* asm-generic/ioctls.h, Linux 4.13 */
#endif

/* docker shows the program's terminal as /dev/console too: logs of old inits go there. */
static int show_console(int slave, int dev)
{
	scoped_fd console = openat(dev, "console", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	scoped_fd tree = console < 0 ? -1
				     : sys_open_tree(slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0 || sys_move_mount(tree, "", console, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return fail("make /dev/console");
	return 0;
}

/* ENOTTY: our own output goes to no terminal, and the container's keeps the size it has. */
static void copy_size(int master)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

int terminal_make(int socket, uid_t uid, int dev, int pts)
{
	scoped_fd master = openat(pts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &(int){ 0 }) < 0)
		return fail("make a terminal");
	scoped_fd slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || fchown(slave, uid, (gid_t)-1) < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return fail("take the terminal");
	copy_size(master);
	if (show_console(slave, dev) < 0)
		return -1;
	if (descriptor_send(socket, master, 0) < 0)
		return fail("hand out the terminal");
	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
		if (dup2(slave, standard) < 0)
			return fail("connect the terminal");
	return 0;
}

static bool in_background(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO); /* -1: it is not our session's */
	return group >= 0 && group != getpgrp();
}

static bool asks_to_end(unsigned signal)
{
	return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

static bool end_is_pending(void)
{
	sigset_t pending;
	if (sigpending(&pending) < 0)
		return false;
	for (int signal = SIGHUP; signal <= SIGTERM; signal++)
		if (asks_to_end((unsigned)signal) && sigismember(&pending, signal) == 1)
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

int terminal_take(struct terminal *terminal, int socket)
{
	int said;
	/* Relayed by nobody, until terminal_connect. */
	terminal->in.from = terminal->out.from = -1;
	terminal->master = descriptor_receive(socket, &said);
	if (terminal->master < 0)
		return failx("the container has handed out no terminal");
	/* Else it would be at its end, for us, when all programs have closed it: some inits open it again. */
	terminal->slave = ioctl(terminal->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return terminal->slave < 0 ? fail("hold the terminal") : 0;
}

int terminal_connect(struct terminal *terminal, bool input)
{
	/* Not in struct terminal: most containers have none, and a launch would clear these for them. */
	static char in[KEYS_MAX + TERMINAL_BUFFER], out[TERMINAL_BUFFER];
	/* A program that doesn't read must not keep us from showing what it writes. */
	if (fcntl(terminal->master, F_SETFL, O_NONBLOCK) < 0)
		return fail("prepare the terminal");
	terminal->in.from = input ? STDIN_FILENO : -1;
	terminal->in.to = terminal->master;
	terminal->in.bytes = in;
	terminal->out.from = terminal->master;
	terminal->out.to = STDOUT_FILENO;
	terminal->out.bytes = out;
	return terminal_raw(terminal);
}

void terminal_resize(const struct terminal *terminal)
{
	if (terminal->master >= 0)
		copy_size(terminal->master);
}

static bool is_empty(const struct channel *channel)
{
	return channel->start == channel->end;
}

static struct pollfd wait_of(const struct channel *channel)
{
	if (!is_empty(channel))
		return (struct pollfd){ channel->to, POLLOUT, 0 };
	return (struct pollfd){ channel->from, POLLIN, 0 };
}

void terminal_waits(const struct terminal *terminal, struct pollfd *waits)
{
	waits[0] = wait_of(&terminal->in);
	waits[1] = wait_of(&terminal->out);
	if (terminal->master < 0)
		waits[0].fd = waits[1].fd = -1;
}

/* KEYS: those that the program does not get; NULL or without any: it gets all. */
static void fill(struct channel *channel, struct keys *keys)
{
	bool filtered = keys && keys->count;
	char *bytes = channel->bytes + (filtered ? KEYS_MAX : 0);
	ssize_t n = read(channel->from, bytes, TERMINAL_BUFFER);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		channel->from = -1;
	channel->start = 0;
	channel->end = n > 0 ? (size_t)n : 0;
	if (filtered)
		channel->end = keys_filter(keys, channel->bytes, bytes, channel->end);
}

static void drain(struct channel *channel)
{
	ssize_t n = write(channel->to, channel->bytes + channel->start, channel->end - channel->start);
	if (n > 0)
		channel->start += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		channel->start = channel->end; /* nobody is there to read it */
}

static void move(struct channel *channel, struct keys *keys)
{
	if (is_empty(channel))
		fill(channel, keys);
	else
		drain(channel);
}

void terminal_move(struct terminal *terminal, const struct pollfd *waits)
{
	if (waits[0].revents)
		move(&terminal->in, terminal->keys);
	if (waits[1].revents)
		move(&terminal->out, NULL);
}

static bool is_asked_to_end(int signals)
{
	struct signalfd_siginfo info;
	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return false;
	return asks_to_end(info.ssi_signo);
}

/* Waits until OUT can be written to; false: nobody reads, and who sent a signal will not wait any longer. */
static bool wait_to_write(int out, int signals)
{
	struct pollfd waits[] = { { out, POLLOUT, 0 }, { signals, POLLIN, 0 } };
	while (poll(waits, 2, -1) > 0) {
		if (waits[0].revents)
			return true;
		if (is_asked_to_end(signals))
			break;
	}
	return false;
}

void terminal_detach(struct terminal *terminal)
{
	if (terminal->master < 0)
		return;
	scoped_fd signals = signals_open();
	/* The container is gone, but what its programs wrote last may still be in the terminal. */
	struct pollfd more = { terminal->master, POLLIN, 0 };
	while (terminal->out.from >= 0 &&
	       (!is_empty(&terminal->out) || poll(&more, 1, 0) > 0)) {
		if (!is_empty(&terminal->out) && !wait_to_write(terminal->out.to, signals))
			break;
		move(&terminal->out, NULL);
	}
	terminal_cook(terminal);
	scoped_close(&terminal->slave);
	close(take_fd(&terminal->master));
}

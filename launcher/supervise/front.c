#include "launcher/supervise/front.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rootfs/base/descriptor.h"
#include "launcher/supervise/idle.h"
#include "launcher/supervise/signals.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

enum { LEFT = 'l', ENDED = 'e', HUNG_UP = 'h' };

/* What the front has. */
struct front {
	int socket, signals;
	pid_t supervisor;
	bool connected; /* to the program's terminal */
	struct terminal terminal;
};

/* Returns the other side's byte; 0 where it is gone. */
static char hear(int socket)
{
	char byte;
	return recv(socket, &byte, 1, 0) == 1 ? byte : 0;
}

/* EPIPE: the other side is gone, as its silence will say. */
static void say(int socket, char byte)
{
	if (send(socket, &byte, 1, MSG_NOSIGNAL) < 0)
		return;
}

/* Ctrl-Z is the container's key, but a signal may be sent: the shell gets its terminal as it was. */
static int stop(struct front *front)
{
	terminal_cook(&front->terminal);
	raise(SIGSTOP);
	return terminal_raw(&front->terminal);
}

static int pass_signal(struct front *front)
{
	struct signalfd_siginfo info;
	if (read(front->signals, &info, sizeof(info)) != sizeof(info))
		return errno == EAGAIN ? 0 : fail("read a signal");
	if (info.ssi_signo == SIGCHLD) /* the supervisor's end shows at the socket */
		return 0;
	if (info.ssi_signo == SIGWINCH && front->terminal.master >= 0) {
		terminal_resize(&front->terminal);
		return 0;
	}
	terminal_heard(&front->terminal, info.ssi_signo);
	signals_forward(front->supervisor, &info);
	return info.ssi_signo == SIGTSTP ? stop(front) : 0;
}

static int take_terminal(struct front *front)
{
	int said, master = descriptor_receive(front->socket, &said);
	if (master < 0)
		return 0; /* the supervisor has failed, and says so itself */
	if (terminal_hold(&front->terminal, master) < 0)
		return -1;
	return terminal_connect(&front->terminal, true) < 0 ? -1 : 1;
}

enum { SIGNALS, SOCKET, TERMINAL, WAITS = TERMINAL + TERMINAL_WAITS };

/* Returns 0 at the container's end, LEFT when the keys have been typed, -1 with a failure. */
static int relay(struct front *front, const struct keys *keys)
{
	struct pollfd waits[WAITS] = {
		[SIGNALS] = { front->signals, POLLIN, 0 },
		[SOCKET] = { front->socket, POLLIN, 0 },
	};
	while (!keys->complete) {
		terminal_waits(&front->terminal, &waits[TERMINAL]);
		if (idle_poll(waits, WAITS) < 0)
			return fail("wait for the container");
		if (waits[SIGNALS].revents && pass_signal(front) < 0)
			return -1;
		if (waits[SOCKET].revents) {
			int r = front->connected ? 0 : take_terminal(front);
			if (r <= 0)
				return r;
			front->connected = true;
			continue; /* what poll has said was not of this terminal */
		}
		terminal_move(&front->terminal, &waits[TERMINAL]);
		if (terminal_is_lost(&front->terminal)) {
			terminal_hang_up(&front->terminal);
			say(front->socket, HUNG_UP);
		}
	}
	return LEFT;
}

static int wait_for(pid_t supervisor)
{
	int status;
	if (waitpid(supervisor, &status, 0) < 0)
		return fail("wait for the supervisor");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Returns the exit status, or -1 with a failure. */
static int run(struct front *front, const struct keys *keys)
{
	int r = relay(front, keys);
	terminal_detach(&front->terminal);
	if (r < 0)
		return -1;
	say(front->socket, r == LEFT ? LEFT : ENDED);
	if (r == LEFT && hear(front->socket) == LEFT)
		return 0;
	return wait_for(front->supervisor);
}

/* FRONT may have died just before. */
static int tie(pid_t front)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fail("tie the supervisor to wherry");
	if (getppid() != front)
		_exit(EXIT_WHERRY);
	return 0;
}

int front_split(struct keys *keys, int *socket, int *status)
{
	int ends[2];
	sigset_t mask;
	pid_t self = getpid();
	struct front front = { .terminal = TERMINAL_NONE };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return fail("make a socket");
	sigprocmask(SIG_SETMASK, NULL, &mask);
	signals_block();
	front.supervisor = fork();
	if (front.supervisor < 0)
		return fail("start the supervisor");
	if (front.supervisor == 0) {
		sigprocmask(SIG_SETMASK, &mask, NULL);
		close(ends[0]);
		*socket = ends[1];
		setsid();
		return tie(self);
	}
	close(ends[1]);
	front.socket = ends[0];
	front.terminal.keys = keys;
	front.signals = signals_open();
	*status = front.signals < 0 ? -1 : run(&front, keys);
	return *status < 0 ? -1 : 1;
}

int front_give(int socket, int master)
{
	return descriptor_send(socket, master, 0) < 0 ? fail("hand over the terminal") : 0;
}

static int leave(int *socket, struct terminal *terminal, const char *name)
{
	scoped_fd front = take_fd(socket);
	warn("%s goes on without a terminal; `kill %d` asks it to end", name, getpid());
	scoped_fd null = openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return fail("open /dev/null");
	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
		if (dup2(null, standard) < 0)
			return fail("leave the terminal");
	if (prctl(PR_SET_PDEATHSIG, 0) < 0 || terminal_connect(terminal, false) < 0)
		return fail("leave the terminal");
	say(front, LEFT);
	return 0;
}

int front_hear(int *socket, struct terminal *terminal, const char *name)
{
	switch (hear(*socket)) {
	case HUNG_UP:
		terminal_hang_up(terminal);
		return 0;
	case LEFT:
		return leave(socket, terminal, name);
	default:
		return failx("the process with the terminal has ended");
	}
}

void front_end(int *socket)
{
	scoped_fd front = take_fd(socket);
	if (front < 0)
		return;
	say(front, ENDED);
	hear(front);
}

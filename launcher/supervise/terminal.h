/* The caller's terminal, and what the program has in its place: with -t a terminal of its own, else pipes. */
#ifndef LAUNCHER_SUPERVISE_TERMINAL_H
#define LAUNCHER_SUPERVISE_TERMINAL_H

#include <poll.h>
#include <stdbool.h>
#include <termios.h>

#include "launcher/supervise/keys.h"
#include "launcher/supervise/relay.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41) /* asm-generic/ioctls.h, Linux 4.13 */
#endif

enum { TERMINAL_WAITS = 3 };

struct terminal {
	int master;   /* of the program's terminal; -1: it has none */
	int slave;    /* where there is a master; -1: not open */
	int pipes[3]; /* our ends of what the program has as standard input, output, error; -1: it is the caller's */
	struct relay in, out, err;
	struct keys *keys; /* of the input, not for the program; borrowed; NULL: none */
	bool raw; /* the caller's terminal has been changed, and has to be given back */
	bool input_is_terminal;
	bool doubtful;     /* the caller's terminal may be gone: SIGHUP, or an error, has said so */
	bool asked_to_end; /* a signal has asked for the end: what is left is written for a short time only */
	struct termios before;
};

#define TERMINAL_NONE \
	{ .master = -1, .slave = -1, .pipes = { -1, -1, -1 }, .in = RELAY_NONE, .out = RELAY_NONE, .err = RELAY_NONE }

/* Takes over what launcher/supervise/standard.h has sent, with the byte that it said. Returns 0, or -1 with a failure. */
int terminal_take(struct terminal *, int standard, int descriptor);

/* Takes the MASTER of the program's terminal, which is then the struct's. Returns 0, or -1 with a failure. */
int terminal_hold(struct terminal *, int master);

/*
 * From now on bytes go from the program to standard output and error and, with INPUT, from standard input to it: then,
 * where the program has a terminal, the caller's becomes raw. Returns 0, or -1 with a failure.
 */
int terminal_connect(struct terminal *, bool input);

/*
 * Stops us, as SIGNAL does, SIGTTOU or SIGTTIN, until the job is in front of the terminal that is standard input, if it
 * is one. Returns whether it may be used now: not where we have been continued in the background to end, as kill %1 and
 * timeout(1) do it. Before: all signals are blocked.
 */
bool terminal_come_forward(int signal);

/* The same with SIGTTIN, for who has made nothing yet: a signal acts as it does on any program. */
void terminal_await(void);

/* Gives the caller's terminal back for a while, and takes it again, when it is in front. Each may be called twice. */
void terminal_cook(struct terminal *);
int terminal_raw(struct terminal *);

/* Gives the MASTER of a terminal the size of the caller's, if there is one. */
void terminal_copy_size(int master);

/* Window size: to be called when SIGWINCH says so. */
void terminal_resize(const struct terminal *);

/* Whether SIGNAL is one that asks programs to end: HUP, INT, QUIT, TERM. */
bool terminal_asks_to_end(unsigned signal);

/* A signal has come: whether it asks for the end is remembered. */
void terminal_heard(struct terminal *, unsigned signal);

/* What to poll(2) for: TERMINAL_WAITS entries, those ignored by poll that have nothing to wait for. */
void terminal_waits(const struct terminal *, struct pollfd *waits);

/* Moves bytes, as poll has said. Never blocks, neither on the container nor on the caller's terminal. */
void terminal_move(struct terminal *, const struct pollfd *waits);

/* Whether the program has a terminal, and the caller's is gone. */
bool terminal_is_lost(struct terminal *);

/* The program's terminal ends: it is sent SIGHUP, and reads an end of file if it ignores that (tty_ioctl(4)). */
void terminal_hang_up(struct terminal *);

/*
 * Writes what is left, as long as nobody who asks us to end is kept waiting by that, and gives the caller's terminal
 * back as it was. Before: all signals are blocked. May be called twice.
 */
void terminal_detach(struct terminal *);

#endif

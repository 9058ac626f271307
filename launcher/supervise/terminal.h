/* -t: a terminal of the container's own, and the caller's at the other end. */
#ifndef LAUNCHER_SUPERVISE_TERMINAL_H
#define LAUNCHER_SUPERVISE_TERMINAL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

#include "launcher/supervise/keys.h"

enum { TERMINAL_WAITS = 2, TERMINAL_BUFFER = 4096 };

/* Bytes on their way from one descriptor to another. */
struct channel {
	int from, to; /* borrowed; from < 0: at its end */
	size_t start, end; /* what of BYTES is still to be written */
	char *bytes;       /* TERMINAL_BUFFER of them; for input KEYS_MAX more */
};

struct terminal {
	int master; /* -1: there is none */
	int slave;  /* where there is a master; -1: not open */
	struct channel in, out;
	struct keys *keys; /* of the input, not for the program; borrowed; NULL: none */
	bool raw; /* the caller's terminal has been changed, and has to be given back */
	struct termios before;
};

/*
 * In the container, when /dev/pts is mounted: makes a terminal that belongs to UID, takes it as the
 * process's controlling terminal, standard input, output and error, shows it as /dev/console, and
 * sends its other end through SOCKET. DEV, PTS: our own /dev and /dev/pts, descriptors,
 * whatever a path leads to by now. Before: the process leads a session without a terminal.
 */
int terminal_make(int socket, uid_t uid, int dev, int pts);

/* Outside: takes the other end from SOCKET. Returns 0, or -1 with a failure. */
int terminal_take(struct terminal *, int socket);

/*
 * From now on bytes go from it to standard output and, with INPUT, from standard input to it: then the
 * caller's terminal becomes raw. Returns 0, or -1 with a failure.
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

/* Window size and input: to be called when SIGWINCH says so. */
void terminal_resize(const struct terminal *);

/* What to poll(2) for: TERMINAL_WAITS entries, all of them ignored by poll where there is no terminal. */
void terminal_waits(const struct terminal *, struct pollfd *waits);

/* Moves bytes, as poll has said. Never blocks on the container. */
void terminal_move(struct terminal *, const struct pollfd *waits);

/*
 * Writes what is left in the terminal, as long as nobody who asks us to end is kept waiting by that, and gives
 * the caller's back as it was. Before: all signals are blocked. May be called twice.
 */
void terminal_detach(struct terminal *);

#endif

/*
 * The process that the caller's shell waits for, where a container may outlive it: with -i and -t, while the
 * supervisor, its child, has no terminal and a session of its own.
 *
 *	front                                  supervisor
 *	waits, passes signals on               makes the container
 *	relays the terminal ◄───────────────── its other end, once the program runs
 *	"h": the terminal is gone ───────────► closes the program's
 *	"l": the keys were typed ────────────► needs neither front nor terminal any more
 *	exits with 0 ◄──────────────────────── "l"
 *	writes out what is left ◄───────────── "e": the program has ended
 *	gives the terminal back, "e" ────────► says why, if there is something to say, and exits
 *	exits as the supervisor did
 *
 * Until "l" the front's death kills the supervisor (PR_SET_PDEATHSIG), and that the container.
 */
#ifndef LAUNCHER_SUPERVISE_FRONT_H
#define LAUNCHER_SUPERVISE_FRONT_H

#include "launcher/supervise/keys.h"
#include "launcher/supervise/terminal.h"

/*
 * Forks. Returns 0 in the supervisor, with the socket to the front; 1 in the front, when all is over, with
 * the exit status; -1 with a failure. The keys leave the terminal.
 */
int front_split(struct keys *, int *socket, int *status);

/* In the supervisor. */

/* Hands over the container's terminal. Returns 0, or -1 with a failure. */
int front_give(int socket, int master);

/*
 * SOCKET is readable. Either the caller's terminal is gone, and the program's TERMINAL is closed. Or the front leaves
 * the container NAME behind: standard input, output and error are given up, what the TERMINAL says is dropped from now
 * on, and the socket is closed. Returns 0, or -1 with a failure.
 */
int front_hear(int *socket, struct terminal *, const char *name);

/* The program has ended: returns when the caller's terminal is theirs again. Closes the socket. */
void front_end(int *socket);

#endif

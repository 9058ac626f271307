/* Inside: what the program has as its standard input, output and error, where that is not what the caller has. */
#ifndef LAUNCHER_SUPERVISE_STANDARD_H
#define LAUNCHER_SUPERVISE_STANDARD_H

#include <stdbool.h>
#include <sys/types.h>

/* What a descriptor that comes out is the other end of: standard input, output or error by number, or the terminal. */
enum { STANDARD_TERMINAL = 3 };

/*
 * When /dev/pts is mounted: makes a terminal that belongs to UID, takes it as the process's controlling terminal,
 * standard input, output and error, shows it as /dev/console, and sends its other end through SOCKET. DEV, PTS: our
 * own /dev and /dev/pts, descriptors, whatever a path leads to by now. Before: the process leads a session without a
 * terminal.
 */
int standard_terminal(int socket, uid_t uid, int dev, int pts);

/*
 * Puts pipes, which belong to UID, in the place of all that leads to the caller's terminal, and sends their other
 * ends through SOCKET: what is only to be written to could be read as well, and its settings changed. One pipe for
 * output and error where both are the same terminal, so that their order stays. Standard input only with INPUT.
 */
int standard_pipes(int socket, uid_t uid, bool input);

#endif

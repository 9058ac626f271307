/* Signals that wherry is sent: held, read, passed on. */
#ifndef LAUNCHER_SUPERVISE_SIGNALS_H
#define LAUNCHER_SUPERVISE_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

struct signalfd_siginfo;

/* Blocks every signal that can be blocked. */
void signals_block(void);

/* A signalfd(2) of all of them, which does not block; the caller's; -1 with a failure. */
int signals_open(void);

/*
 * The same, of those alone that end a program which has not begun: HUP, INT, QUIT, TERM, but for what our caller has
 * ignored, as nohup(1) and shells' background jobs do. All others stay for the program.
 */
int signals_open_end(void);

/*
 * Sends the signal that was read to another process, as it came: with its value, if it has one. Not, though, what
 * a write(2) of our own to a broken pipe has brought.
 */
void signals_forward(pid_t to, const struct signalfd_siginfo *);

/*
 * Stops as SIGNAL does, SIGTSTP, SIGTTIN or SIGTTOU, which is blocked: not where that is ignored, nor where
 * nobody could continue us, in an orphaned process group (setpgid(2)). Returns whether we have been continued.
 */
bool signals_stop(int signal);

#endif

/* Waiting at little cost: a container may run for months while its supervisor has nothing to do. */
#ifndef LAUNCHER_SUPERVISE_IDLE_H
#define LAUNCHER_SUPERVISE_IDLE_H

#include <poll.h>

/*
 * As poll(2) without a time-out. When a second has passed, all memory is given back that waiting
 * doesn't need and that comes back by itself: the program's own code and constants, and the dead part
 * of the stack. What stays is written data, and one page of code.
 */
int idle_poll(struct pollfd *waits, nfds_t count);

#endif

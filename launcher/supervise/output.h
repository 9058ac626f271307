/* Writing to what the caller gave us, without ever waiting for whoever reads it. */
#ifndef LAUNCHER_SUPERVISE_OUTPUT_H
#define LAUNCHER_SUPERVISE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct output {
	int fd;        /* what is written to; -1: none */
	int own;       /* FD, where it is a description of our own, to be closed; -1 */
	int shared;    /* FD, where the description is the caller's, and was made not to block; -1 */
	bool is_socket;
	bool is_terminal;
};

#define OUTPUT_NONE { .fd = -1, .own = -1, .shared = -1 }

/*
 * For FD, which is the caller's, other processes' too, and stays open. Its terminal or pipe is opened anew, since
 * O_NONBLOCK belongs to all who share a description; where it may not be, the caller's is changed until output_close.
 */
struct output output_open(int fd);

/* As write(2): -1 with EAGAIN where it would have to wait. */
ssize_t output_write(const struct output *, const void *bytes, size_t count);

/* Whether it was a terminal and nobody is at it any more. */
bool output_is_hung_up(const struct output *);

/* May be called twice. */
void output_close(struct output *);

#endif

/* Failures: recorded once, where they are seen; printed once, by main. */
#ifndef ROOTFS_BASE_ERR_H
#define ROOTFS_BASE_ERR_H

#include <stdbool.h>

/*
 * The exit statuses of docker-run(1) that wherry gives itself; every other
 * status is the program's own.
 */
enum { EXIT_WHERRY = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/*
 * What went wrong. Zero is "nothing". It holds no pointers, so that a child
 * can send it to its parent through a pipe in one piece (under PIPE_BUF,
 * 4096 bytes on Linux, pipe(7)).
 */
struct failure {
	int status;      /* exit status, 0: nothing failed */
	char text[1024]; /* one line, without the program's name or a newline */
	char hint[1536]; /* what a person can do about it, lines without the last newline, or "" */
};

/*
 * Records "TEXT: strerror(errno)" and returns -1. TEXT says what was attempted
 * ("mount overlay on /x"). A failure that is already recorded stays: the first
 * is the cause.
 */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As fail, where errno says nothing. */
int failx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As failx, with an exit status other than 125. */
int fail_status(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Adds the second line to the recorded failure; the first hint stays. Returns -1. */
int hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints one line about something that we go on without. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The recorded failure; status 0 where there is none. Never NULL. */
const struct failure *failure_get(void);

/* Takes over a failure that another process recorded, as printable text. Returns -1. */
int failure_take(const struct failure *);

/* Forgets the recorded failure: its handler has dealt with it. */
void failure_clear(void);

/* Prints the failure to standard error, one line or two; returns its status. */
int failure_print(void);

#endif

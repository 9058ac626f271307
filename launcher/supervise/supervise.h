/* The wait for a container's end: reports in, signals through. */
#ifndef LAUNCHER_SUPERVISE_SUPERVISE_H
#define LAUNCHER_SUPERVISE_SUPERVISE_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "init/report.h"
#include "launcher/supervise/terminal.h"

/* How a container ended. */
struct outcome {
	enum report_kind kind; /* the program's last report; 0, STARTED: init ended without one */
	int value;             /* its value */
	int status;            /* init's own, of waitpid(2) */
	struct rusage usage;   /* init's, with all that it reaped */
};

/*
 * Waits until the program runs. Signals wait meanwhile: they belong to the program.
 * Returns 0, also where its first process is gone already, or has become the program without a
 * report; -1 with the failure that it reports.
 */
int supervise_start(int report, struct outcome *);

/* What is waited for, and between whom. */
struct supervision {
	pid_t init;
	int end;    /* init's pidfd: readable when it is gone */
	int report; /* read end of its pipe */
	struct terminal *terminal; /* without one: its master is -1 */
	bool input; /* standard input is the program's: a terminal, perhaps, whose jobs take turns */
	int *front;       /* the socket of launcher/supervise/front.h; NULL or -1: we have the caller's terminal ourselves */
	const char *name; /* the container's */
};

/*
 * Passes on signals and the terminal's bytes until init is gone. Until it is reaped its number is nobody
 * else's. Return 0, or -1 with a failure.
 */
int supervise_wait(const struct supervision *, struct outcome *);
int supervise_reap(const struct supervision *, struct outcome *);

#endif

/* The wait for a container's end: reports in, signals through. */
#ifndef LAUNCHER_SUPERVISE_H
#define LAUNCHER_SUPERVISE_H

#include <stdbool.h>
#include <sys/types.h>

#include "init/report.h"

/* How a container ended. */
struct outcome {
	enum report_kind kind; /* the program's last report; 0, STARTED: init ended without one */
	int value;             /* its value */
	int status;            /* init's own, of waitpid(2) */
};

/* Blocks every signal that can be blocked; to be called before the container is started. */
void supervise_block(void);

/*
 * Waits until the program runs. Signals wait meanwhile: they belong to the program.
 * Returns 0, also where its first process is gone already; -1 with the failure that it reports.
 */
int supervise_start(int report, struct outcome *);

/*
 * Passes on what comes in until INIT is gone, and reaps it. REPORT is the read end of init's pipe,
 * which ends with init. Returns 0, or -1 with a failure.
 */
int supervise_wait(pid_t init, int report, struct outcome *);

#endif

/* --report: how a container ended and what it has used, as one JSON object. */
#ifndef LAUNCHER_RUN_REPORT_H
#define LAUNCHER_RUN_REPORT_H

#include <time.h>

#include "launcher/cgroup.h"
#include "launcher/supervise.h"

struct run_report {
	int file; /* -1: none is asked for */
	struct timespec start;
};

/* Opens PATH (NULL: no report), and starts the clock. Returns 0, or -1 with a failure. */
int run_report_open(struct run_report *, const char *path);

/*
 * Writes it, while the container's cgroups are still there. STATUS is wherry's own; below 0 it has
 * failed, and the recorded failure is told. Returns 0, or -1 with a failure.
 */
int run_report_write(struct run_report *, const char *name, int status, const struct outcome *,
		     const struct cgroup *);

#endif

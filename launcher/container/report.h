/* --report: how a container ended and what it has used, as one JSON object. */
#ifndef LAUNCHER_CONTAINER_REPORT_H
#define LAUNCHER_CONTAINER_REPORT_H

#include <time.h>

#include "launcher/cgroup/cgroup.h"
#include "launcher/supervise/supervise.h"

struct run_report {
	int file; /* -1: none is asked for */
	struct timespec start;
};

/* Opens PATH (NULL: no report), and starts the clock. Returns 0, or -1 with a failure. */
int run_report_open(struct run_report *, const char *path);

/* Starts the clock again: what an image took to load is not the container's time. */
void run_report_start(struct run_report *);

/*
 * Writes it, while the container's cgroups are still there, and closes it. STATUS is wherry's own; below
 * 0 it has failed, and the recorded failure is told. NAME may be NULL. Returns 0, or -1 with a failure.
 */
int run_report_write(struct run_report *, const char *name, int status, const struct outcome *,
		     const struct cgroup *);

#endif

/* A container's life, from the spec to the exit status. */
#ifndef LAUNCHER_CONTAINER_CONTAINER_H
#define LAUNCHER_CONTAINER_CONTAINER_H

#include "launcher/container/report.h"
#include "launcher/spec/spec.h"
#include "launcher/mount/volumes.h"

/* Who looks on. */
struct container_watch {
	/* Told once the program runs: the time for what can wait until then. */
	void (*started)(const struct container_watch *);
	struct run_report *report; /* told of the end; container_run closes it */
	int front; /* a socket of launcher/supervise/front.h, which container_run closes; -1: none */
};

/*
 * Makes the container, runs its program, and undoes what was made outside. Returns the program's exit
 * status as wherry gives it (docker-run(1): its own, 128+signal, 126, 127), or -1 with a failure.
 */
int container_run(const struct spec *, const struct volumes *, const struct container_watch *);

/* Removes what a killed container of that name left; -1, without a failure, while some is in use. */
int container_clean(const char *name);

#endif

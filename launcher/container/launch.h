/* From an image and what was asked of it to an exit status. */
#ifndef LAUNCHER_CONTAINER_LAUNCH_H
#define LAUNCHER_CONTAINER_LAUNCH_H

#include "launcher/container/container.h"
#include "launcher/container/report.h"
#include "launcher/mount/source.h"
#include "launcher/mount/volumes.h"
#include "launcher/mount/writable.h"
#include "launcher/spec/run_options.h"

/* What is to be launched; all borrowed. */
struct launch {
	const char *root, *state; /* the store, and what runs now */
	const char *image;        /* a path, or a name of the store */
	char **words;             /* the program and its arguments, instead of the image's; NULL-terminated */
	const struct run_options *given;
	struct run_report *report; /* told of the end, and closed */
	int front; /* a socket of launcher/supervise/front.h, which is taken over; -1: none */
};

/* What a launch has made so far, in this order. */
struct launched {
	const struct launch *launch;
	enum { LAUNCHED_NOTHING, LAUNCHED_SOURCE, LAUNCHED_WRITABLE, LAUNCHED_VOLUMES, LAUNCHED_CONTAINER } stage;
	struct source source;
	char name[13]; /* where none was given */
	char *state;   /* absolute */
	struct spec spec;
	struct writable writable;
	struct volumes volumes;
	struct container container;
};

/* Launches, waits, undoes. Returns the exit status, as container_wait, or -1 with a failure. */
int launch_run(const struct launch *);

/*
 * Its parts, for who creates now and starts later. launch_create makes all that is made before the program's start;
 * launch_undo has to follow, whatever it returns, and undoes what there is, in reverse. Return 0, or -1 with a failure.
 */
int launch_create(struct launched *, const struct launch *);
int launch_start(struct launched *);
void launch_undo(struct launched *);

#endif

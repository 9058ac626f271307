/* A container's life, from the spec to the exit status. */
#ifndef LAUNCHER_CONTAINER_CONTAINER_H
#define LAUNCHER_CONTAINER_CONTAINER_H

#include "launcher/cgroup/cgroup.h"
#include "launcher/container/inside.h"
#include "launcher/container/reason.h"
#include "launcher/container/state.h"
#include "launcher/mount/volumes.h"
#include "launcher/net/net.h"
#include "launcher/spec/spec.h"
#include "launcher/supervise/supervise.h"

/* What is made outside, while it lasts. */
struct container {
	struct state state;
	struct cgroup cgroup;
	struct outcome outcome;
	struct reason reason; /* of a program that could not be executed */
	struct inside inside; /* what the child is given */
	const struct spec *spec; /* borrowed, as VOLUMES */
	const struct volumes *volumes;
	struct network network;
	pid_t init;           /* as seen from outside; 0: not there */
	int init_pidfd;
	int report;           /* socket, whose other end is the init's */
	int go_socket;        /* one byte lets the child go on; here it hands out what standard.h makes, and says why it failed */
	struct aside_process root_maker; /* with --userns */
	int held;             /* to its devices, which "go" tells the child */
	struct terminal terminal;
	int front; /* the socket to who has the caller's terminal; -1: we have */
};

#define CONTAINER_NONE \
	{ .network = NETWORK_CLOSED, .state.file = -1, .inside = { .report = -1, .go = -1, .init = -1, .parent = -1, .ipc.trees = { -1, -1 } }, \
	  .init_pidfd = -1, .report = -1, .go_socket = -1, .root_maker.socket = -1, .terminal = TERMINAL_NONE, .front = -1 }

/*
 * Makes the container, but for what only its program's start makes; SPEC's net then says what it is. SPEC and VOLUMES are borrowed until
 * container_destroy; FRONT, a socket of launcher/supervise/front.h or -1, is taken over. Returns 0, or -1 with a failure.
 */
int container_create(struct container *, struct spec *, const struct volumes *, int front);

/* Lets it go on, until its program runs or could not be executed. Returns 0, or -1 with a failure. */
int container_start(struct container *);

/*
 * Waits for its end. Returns the program's exit status as wherry gives it (docker-run(1): its own, 128+signal, 126,
 * 127), or -1 with a failure.
 */
int container_wait(struct container *);

/* Ends it and undoes what was made outside, in every stage. Accepts what container_create did not finish. */
void container_destroy(struct container *);

/* Removes what a killed container of that name left; -1, without a failure, while some is in use. */
int container_clean(const char *name);

#endif

/*
 * What runs now: STATE/<name>, a file locked by its container's supervisor. The lock ends with the
 * supervisor, however that ends; a file that nobody locks is what a killed one left. Its lines:
 *
 *	PID                  of the supervisor
 *	label KEY[=VALUE]    as --label gave it; of two with one KEY the later counts
 *	annotation KEY=VALUE likewise
 *	network KIND         that it has, with its supervisor in it: "none", "host", "bridge", "other"
 *	address ADDRESS      on the bridge, one line for each family
 *	port HOST PORT COUNT PROTOCOL ADDRESS	published: so many from each on; ADDRESS "*": all of the host's
 *	ipc PID UID          whose IPC namespace others may enter, and who its root is outside; "was": it has ended
 */
#ifndef LAUNCHER_CONTAINER_STATE_H
#define LAUNCHER_CONTAINER_STATE_H

#include <stdint.h>
#include <sys/types.h>

#include "launcher/spec/net.h"
#include "rootfs/base/words.h"

struct state {
	const char *dir; /* borrowed; absolute */
	const char *name; /* borrowed */
	int file; /* locked; -1: none */
	off_t shared; /* where its line "ipc" stands; 0: there is none */
};

/* Twelve hex digits and NUL, as docker shortens its IDs. */
int state_random_name(char name[13]);

/* Returns 0, or -1 with a failure where NAME cannot be a container's. */
int state_check_name(const char *name);

/*
 * Takes NAME in DIR, which is made. CLEAN removes what a killed container of a name left outside, and
 * returns -1 where some of it is still in use. Signals are blocked from the moment on when something is made that would
 * stay behind. Returns 0; -1 with a failure: the name is taken, or no name.
 */
int state_create(struct state *, const char *dir, const char *name, int (*clean)(const char *name));

/* Adds a line "KIND WORD" for each of WORDS, which have no newline. Returns 0; -1 with a failure. */
int state_note(const struct state *, const char *kind, const struct strings *words);

/* Lets other containers into the IPC namespace of INIT, which runs; and no more, before INIT is reaped. */
int state_share(struct state *, pid_t init, uint32_t root);
int state_unshare(struct state *);

/*
 * The pidfd, the caller's, of the process whose IPC namespace the container NAME of DIR shares. -1 with a
 * failure that names --ipc: none of that name runs, or it shares nothing. ROOT: who its root is outside.
 */
int state_shared(const char *dir, const char *name, uint32_t *root);

/* Adds what the container's network is, which its supervisor is in. Returns 0; -1 with a failure. */
int state_note_network(const struct state *, const struct net *);

/*
 * The pidfd, the caller's, of a process in the network of the container NAME of DIR. -1 with a failure that names
 * --network.
 */
int state_network(const char *dir, const char *name);

/* Removes it. May be called twice, and on what state_create did not finish. */
void state_destroy(struct state *);

/*
 * Cleans up behind containers in DIR whose supervisors are gone: all of them where no more than 32 run;
 * where more do, those that it meets before 32 that run, from a random one on.
 */
void state_sweep(const char *dir, int (*clean)(const char *name));

#endif

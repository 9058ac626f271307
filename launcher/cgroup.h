/* Limits: one cgroup a container, on cgroup v2, v1 or both, in each hierarchy that a limit needs. */
#ifndef LAUNCHER_CGROUP_H
#define LAUNCHER_CGROUP_H

#include <stdbool.h>

#include "launcher/spec.h"

/* Where one limit's controller is. */
struct hierarchy {
	char path[256]; /* the container's own cgroup, absolute */
	char controllers[160]; /* v1: as mount(2) takes them */
	int dir;        /* the same, open; -1: not made */
	bool unified;   /* cgroup v2 */
};

struct cgroup {
	struct hierarchy hierarchies[LIMIT_COUNT];
	int count;
	int memory; /* index of the one that limits memory, or -1 */
};

/*
 * Makes the cgroup wherry-NAME wherever LIMITS needs one, and sets them. No limits: no cgroup, and
 * no cgroup file system is needed. Returns 0; -1 with a failure, and nothing is left.
 */
int cgroup_create(struct cgroup *, const char *name, const struct limits *);

/* Descriptor of the v2 cgroup for CLONE_INTO_CGROUP, or -1. Borrowed. */
int cgroup_unified(const struct cgroup *);

/*
 * Moves the calling process, which has one thread, into the v1 cgroups. Writing 0 to `tasks` takes
 * 35–60 µs; a pid in `cgroup.procs` waits for an RCU grace period, milliseconds.
 */
int cgroup_join(const struct cgroup *);

/*
 * In the container, after its /sys and its cgroup namespace: shows its own cgroups, read-only, below
 * /sys/fs/cgroup. None: shows nothing.
 */
int cgroup_show(const struct cgroup *);

/* How many processes of the container the kernel killed for memory. */
long cgroup_oom_kills(const struct cgroup *);

/* Removes what cgroup_create made, all processes being gone. May be called twice. */
void cgroup_destroy(struct cgroup *);

/*
 * Removes wherry-NAME from every hierarchy, whoever made it. Returns 0 when none is left, -1
 * (without a failure) while one is in use.
 */
int cgroup_sweep(const char *name);

#endif

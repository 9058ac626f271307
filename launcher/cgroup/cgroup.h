/*
 * One cgroup a container, on cgroup v2, v1 or both, in each hierarchy that a limit needs. Which
 * devices may be opened is such a limit, and there by default.
 */
#ifndef LAUNCHER_CGROUP_CGROUP_H
#define LAUNCHER_CGROUP_CGROUP_H

#include "launcher/cgroup/find.h"
#include "launcher/cgroup/parent.h"
#include "launcher/spec/devices.h"
#include "launcher/spec/limits.h"

/* The container's own cgroup in one hierarchy. */
struct hierarchy {
	struct cgroup_parent parent;
	char name[80];         /* below it */
	char controllers[160]; /* v1: as mount(2) takes them */
	int dir;               /* -1: not made */
	unsigned holds;        /* bits of enum controller: what it was made for */
	bool unified;          /* cgroup v2 */
};

struct cgroup {
	struct hierarchy hierarchies[CONTROLLER_COUNT];
	int count;
	pid_t front; /* wherry's other process, said before it is made; 0: none */
	bool held;   /* to its devices, from the start: v1 */
	bool taken;  /* it could not be made: its name is another container's */
};

/*
 * Makes the cgroup wherry-NAME wherever LIMITS or the rules of DEVICES need one, and sets the limits
 * but for v2's cpuset.
 * Neither: no cgroup. Where nothing but the devices would need one and it cannot be had, there is
 * none, unless another container has it. Returns 0; -1 with a failure, and nothing is left.
 */
int cgroup_create(struct cgroup *, const char *name, const struct limits *, const struct devices *);

/*
 * Sets v2's cpuset, with the container's first process in the cgroup and all others yet to come: nobody
 * else is ever held to it by Linux 5.10. Returns 0, -1 with a failure.
 */
int cgroup_hold_processors(const struct cgroup *, const struct limits *);

/*
 * Makes the rules hold, while the container's first process mounts: v2's program takes the kernel 50 µs,
 * and comes into force at once. v1's rules, which don't, cgroup_create has set. Returns 1; 0 where this kernel cannot, and nothing that was asked for depends on it; -1 with a failure.
 */
int cgroup_hold_devices(const struct cgroup *, const struct devices *);

/* Descriptor of the v2 cgroup for CLONE_INTO_CGROUP, or -1. Borrowed. */
int cgroup_unified(const struct cgroup *);

/*
 * Moves the calling process, which has one thread, into the v1 cgroups. Writing 0 to `tasks` takes
 * 35–60 µs; a pid in `cgroup.procs` waits for an RCU grace period, milliseconds.
 */
int cgroup_join(const struct cgroup *);

/* cgroup_join, and a cgroup namespace, whose root are the cgroups that we are in then. Returns 0; -1 with a failure. */
int cgroup_enter(const struct cgroup *);

/*
 * In the container, after its /sys and its cgroup namespace: shows its own cgroups below
 * /sys/fs/cgroup, as FLAGS of mount(2) say (MS_RDONLY or 0). None: shows nothing. v1's devices are not
 * shown.
 */
int cgroup_show(const struct cgroup *, unsigned long flags);

/* The directory of the container's cgroup that knows about a controller (v1's name), or -1. Borrowed. */
int cgroup_of(const struct cgroup *, const char *controller, bool *unified);

/*
 * Removes what cgroup_create made, all processes being gone. May be called twice. Returns -1, with a
 * warning and without a failure, where something stays.
 */
int cgroup_destroy(struct cgroup *);

/*
 * Removes wherry-NAME from every hierarchy, whoever made it, unless that one lives. Returns 0 when none
 * is left, -1 (without a failure) while one is in use.
 */
int cgroup_sweep(const char *name);

#endif

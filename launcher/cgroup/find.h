/* Where the cgroup file systems are mounted. */
#ifndef LAUNCHER_CGROUP_FIND_H
#define LAUNCHER_CGROUP_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "launcher/spec/limits.h"

extern const struct controller_name {
	const char *v1, *v2;
} cgroup_controllers[CONTROLLER_COUNT];

enum { CGROUP_MOUNTS_MAX = 24 };

struct cgroup_mount {
	char path[160];        /* the mount point; "cgroup2" where there is none */
	char controllers[160]; /* v1: comma-separated, as mount(2) takes them; v2: those that its root has */
	int detached;          /* a mount of our own, mounted nowhere; 0: none */
	bool unified;
};

struct cgroup_mounts {
	struct cgroup_mount at[CGROUP_MOUNTS_MAX];
	size_t count;
};

/* Those at the places where everybody mounts them, without reading the mount table, which may be long. */
void cgroup_find_usual(struct cgroup_mounts *);

/* All of them: /proc/self/mountinfo. Without /proc: none. */
void cgroup_find_mounted(struct cgroup_mounts *);

/*
 * Adds cgroup v2, mounted for this process alone (fsmount(2), Linux 5.2): no mount point, gone with
 * its descriptor. None where the kernel has none.
 */
void cgroup_find_detached(struct cgroup_mounts *);

void cgroup_mounts_close(struct cgroup_mounts *);

/* Whether MOUNT has the controller. */
bool cgroup_offers(const struct cgroup_mount *, enum controller);

/* A descriptor of the mount's own cgroup, the caller's; -1 with errno. */
int cgroup_mount_open(const struct cgroup_mount *);

#endif

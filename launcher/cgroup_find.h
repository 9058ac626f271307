/* Where the cgroup file systems are mounted. */
#ifndef LAUNCHER_CGROUP_FIND_H
#define LAUNCHER_CGROUP_FIND_H

#include <stdbool.h>
#include <stddef.h>

enum { CGROUP_MOUNTS_MAX = 24 };

struct cgroup_mount {
	char path[160];        /* the mount point */
	char controllers[160]; /* comma-separated as the super options have them, v1; "" for v2 */
	bool unified;
};

struct cgroup_mounts {
	struct cgroup_mount at[CGROUP_MOUNTS_MAX];
	size_t count;
};

/* Reads /proc/self/mountinfo. Returns 0, or -1 with a failure. */
int cgroup_find(struct cgroup_mounts *);

/* Whether WORD is one of the words of LIST, which SEPARATOR parts. */
bool cgroup_list_has(const char *list, char separator, const char *word);

#endif

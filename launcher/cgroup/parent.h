/*
 * Below which cgroup a container's own is made, without anybody's help.
 *
 * The mount's own cgroup, where wherry may write there: always as root, and below a mount that shows
 * a container's part of the tree alone. Otherwise wherry's own cgroup, then those above it: the first
 * one that has been delegated to wherry's user (its directory and cgroup.subtree_control are his).
 *
 * With cgroup v2 it has to hand down the controllers that are wanted. They are enabled in every
 * cgroup from the mount's to this one where wherry may. A cgroup other than the machine's root with
 * processes in it hands down none (the "no internal processes" rule, cgroup-v2.rst of the kernel): the
 * next one up is tried. If there is none, and wherry is alone in one, as the program of a container or
 * of a service is, it moves itself, with its front (launcher/supervise/front.h), into wherry.NAME below it, and back
 * at the end. Processes of others are never moved: the failure says where they are in the way.
 */
#ifndef LAUNCHER_CGROUP_PARENT_H
#define LAUNCHER_CGROUP_PARENT_H

#include <sys/types.h>

#include "launcher/cgroup/find.h"

struct cgroup_parent {
	char path[256];   /* for messages; the mount's path first */
	char leaf[80];    /* "wherry.NAME", where wherry has moved itself; "" otherwise */
	int dir;
	unsigned enabled; /* bits of enum controller: not handed down before us */
};

/*
 * Finds it for a container NAME that wants the controllers WANTED, bits of enum controller, of MOUNT.
 * FRONT: wherry's other process; 0: none. Returns 0; -1 with a failure that begins with OPTION.
 */
int cgroup_parent_open(struct cgroup_parent *, const struct cgroup_mount *mount, unsigned wanted,
		       const char *name, pid_t front, const char *option);

/* Undoes what open did there, the container's cgroup being gone. May be called twice. */
void cgroup_parent_close(struct cgroup_parent *);

/*
 * Calls REMOVE with every cgroup of MOUNT that could be a parent, whoever made what is in it. Returns
 * the sum of what it returned.
 */
int cgroup_parent_each(const struct cgroup_mount *mount, int (*remove)(int dir, const char *name),
		       const char *name);

#endif

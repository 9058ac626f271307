/* The end of a cgroup and of what is in it. */
#ifndef LAUNCHER_CGROUP_REMOVE_H
#define LAUNCHER_CGROUP_REMOVE_H

/*
 * Removes the cgroup NAME in PARENT with those below it, and kills who is in them. Returns 0, also where it
 * isn't there; -1 with errno, EBUSY: it is in use still.
 */
int cgroup_remove(int parent, const char *name);

#endif

/* Limits as the files of a cgroup. */
#ifndef LAUNCHER_CGROUP_LIMITS_H
#define LAUNCHER_CGROUP_LIMITS_H

#include <stdbool.h>

#include "launcher/cgroup/find.h"
#include "launcher/spec/limits.h"

/*
 * Sets the limit KIND of LIMITS, which has it, in the container's cgroup at DIR. PATH is for messages.
 * Returns 0; -1 with a failure that says why this kernel doesn't enforce it.
 */
int cgroup_limit_set(int dir, bool unified, const char *path, const struct limits *, enum limit_kind);

/*
 * v1: a cgroup has no processors and no memory nodes until they are written, and nobody can join it:
 * takes over its parent's.
 */
int cgroup_limit_inherit_cpuset(int parent, int dir);

#endif

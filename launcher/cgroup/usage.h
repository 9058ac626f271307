/* What a container has used, as its cgroups count it. */
#ifndef LAUNCHER_CGROUP_USAGE_H
#define LAUNCHER_CGROUP_USAGE_H

#include <stdint.h>

#include "launcher/cgroup/cgroup.h"

enum usage_kind {
	USAGE_CPU,           /* microseconds */
	USAGE_CPU_USER,
	USAGE_CPU_SYSTEM,
	USAGE_THROTTLED,     /* microseconds in which it had to wait for --cpus */
	USAGE_MEMORY_PEAK,   /* bytes */
	USAGE_OOM_KILLS,     /* processes */
	USAGE_PIDS_DENIED,   /* times that --pids-limit stood in the way */
	USAGE_READ,          /* bytes, from and to disks */
	USAGE_WRITTEN,
	USAGE_PRESSURE_SOME, /* microseconds in which some or all of it waited for memory, PSI */
	USAGE_PRESSURE_FULL,
	USAGE_COUNT
};

/* -1: this kernel, or a container without that cgroup, doesn't know. */
int64_t cgroup_usage(const struct cgroup *, enum usage_kind);

#endif

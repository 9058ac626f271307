/* The container's first process, between its clone and its init. */
#ifndef LAUNCHER_CONTAINER_INSIDE_H
#define LAUNCHER_CONTAINER_INSIDE_H

#include "launcher/cgroup/cgroup.h"
#include "launcher/mount/ipc.h"
#include "launcher/mount/mounts.h"
#include "launcher/seccomp/seccomp.h"
#include "launcher/spec/spec.h"
#include "launcher/mount/volumes.h"

/* What the parent gives it; -1: none. All are close-on-exec. */
struct inside {
	int report;   /* socket, for the init; struct report of init/report.h */
	int go;       /* socket; a byte: the parent has done its part, 1: devices hold; takes what standard.h hands out, and why we failed */
	int init;     /* the init's file, to be executed */
	int parent;   /* the parent's pidfd, whose network namespace is the container's */
	const struct volumes *volumes; /* with descriptors of its own */
	struct ipc ipc; /* what is another container's */
	const struct cgroup *cgroup;
	bool held; /* to its devices; said with "go" */
	struct seccomp seccomp;
	struct mounts mounts; /* the child's own */
};

/* Makes the container from inside and becomes its init. Leaves by exec or _exit, having reported. */
_Noreturn void inside_run(struct inside *, const struct spec *);

#endif

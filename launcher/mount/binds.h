/* What is taken along from the host into the container, from where it is opened to where it is put. */
#ifndef LAUNCHER_MOUNT_BINDS_H
#define LAUNCHER_MOUNT_BINDS_H

#include "launcher/mount/ipc.h"
#include "launcher/mount/mounts.h"

enum { TAKEN_MAX = 128 };

struct taken {
	struct source_mount at[TAKEN_MAX];
	size_t count;
};

/*
 * Takes SPEC's volumes, while our mounts are still the host's peers, since one may be asked to stay so.
 * Returns 0, or -1 with a failure; so do the next.
 */
int taken_volumes(struct taken *, const struct spec *);

/* The container's own files, written into staging, and what it borrows of the host's or from IPC, which gives it. */
int taken_own(struct taken *, const struct spec *, struct ipc *);

/* Whether /sys is the host's, borrowed. */
bool taken_borrows_sys(const struct spec *);

/* After root_enter: each in its place; volumes in the order of SPEC, which mounts parents first. */
int taken_put_own(const struct taken *);
int taken_put_volumes(const struct taken *, const struct spec *);

void taken_close(const struct taken *);

#endif

/* What is bound from the host into the container, from where it is opened to where it is put; and what else was asked for. */
#ifndef LAUNCHER_MOUNT_BINDS_H
#define LAUNCHER_MOUNT_BINDS_H

#include "launcher/mount/ipc.h"
#include "launcher/mount/mounts.h"
#include "launcher/spec/spec.h"

enum { BINDS_MAX = 128 };

/* A file or directory of the host's: a detached copy of its mount (open_tree(2), Linux 5.2). */
struct bind {
	int tree;
	const char *target; /* in the container; made if it isn't there */
	bool directory;
	unsigned long flags;       /* MS_RDONLY, MS_NODEV */
	unsigned long propagation; /* 0: as it is */
};

struct binds {
	struct bind at[BINDS_MAX];
	size_t count;
};

/*
 * Opens SPEC's volumes, while our mounts are still the host's peers, since one may be asked to stay so.
 * Returns 0, or -1 with a failure; so do the next.
 */
int binds_open_volumes(struct binds *, const struct spec *);

/* The container's own files, written into staging, and what it borrows of the host's or from IPC, which gives it. */
int binds_open_own(struct binds *, const struct spec *, struct ipc *);

/*
 * After root_enter: each in its place; the mounts that were asked for in the order of SPEC, parents first. FLAGS:
 * MS_NODEV or 0, for all of them. The working directory changes.
 */
int binds_put_own(const struct binds *, const struct mounts *, unsigned long flags);
int binds_put_volumes(const struct binds *, const struct mounts *, const struct spec *, unsigned long flags);

void binds_close(const struct binds *);

#endif

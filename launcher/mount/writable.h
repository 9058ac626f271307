/* The writable layer where it is kept on a disk. */
#ifndef LAUNCHER_MOUNT_WRITABLE_H
#define LAUNCHER_MOUNT_WRITABLE_H

#include "launcher/spec/spec.h"
#include "rootfs/store/store.h"

struct writable {
	struct work work; /* OVERLAY_DISK: below the store, removed at the end */
	char *path;       /* NULL: in memory */
	int lock;         /* OVERLAY_DIR: held while the container runs */
};

/*
 * Makes what ROOT's overlay needs outside, and fills in ROOT's overlay_dir. STORE may be one that
 * nobody has written to. Returns 0; -1 with a failure.
 */
int writable_create(struct writable *, struct store *, struct root *root);

/* Accepts what writable_create did not finish; may be called twice. */
void writable_destroy(struct writable *, const struct store *);

#endif

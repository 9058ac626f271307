/*
 * The image store: all that lasts, and `ls` is its debugger.
 *
 *	ROOT/version                what wrote it: "1"
 *	ROOT/layers/<hex>/          one layer, ready to be an overlay lower directory. <hex> is its diff ID,
 *	                            or its chain ID where it holds directories that it has no entry for:
 *	                            these took their owner and mode from the layers below (rule 12)
 *	ROOT/layers/<hex>.about     what the directory cannot say of itself: see rootfs/store/about.h
 *	ROOT/images/<hex>           an image's config, byte for byte; locked shared while it is in use
 *	ROOT/ready/<hex>            what a run needs of that image, a copy: see rootfs/store/ready.h
 *	ROOT/names/<name>           hex of an image ID; "/" in a name is "%" here
 *	ROOT/volumes/<name>/        a named volume, with what containers have written to it
 *	ROOT/indexes/<hex>/         an archive that is run as it is: see rootfs/store/inplace.h
 *	ROOT/tmp/<random>/          work in progress, locked by who works on it
 *
 * Locks, all by flock(2), so that they end with their holders: ROOT/layers shared by a load,
 * exclusive by who removes; ROOT/images/<hex> shared by a run, exclusive by who removes that
 * image, and for a moment by who asks whether one runs; ROOT/volumes and the volumes in it as
 * launcher/mount/volumes.h says.
 */
#ifndef ROOTFS_STORE_STORE_H
#define ROOTFS_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "rootfs/base/sha256.h"

/*
 * Descriptors of its directories, each -1 where it doesn't exist (a store nobody has written to).
 */
struct store {
	const char *path; /* as the user named it: for messages; borrowed */
	int root, layers, images, names, tmp;
	bool made;        /* store_make made it, now */
};

enum store_mode {
	STORE_READ,  /* never writes; a missing store is an empty one */
	STORE_WRITE, /* makes what is missing, 0700 */
};

/*
 * Opens the store at PATH. A store of a newer version, or one that belongs to somebody else, is a
 * failure. Returns 0, or -1 with a failure.
 */
int store_open(struct store *, const char *path, enum store_mode);

/* Makes what is missing of a store that was opened STORE_READ. Returns 0, or -1 with a failure. */
int store_make(struct store *);

/* Closes it; removes it again where store_make made it and nothing has been put in. */
void store_close(struct store *);

/* Whether its file system is mounted read-only: then all that reads works, its locks too. */
bool store_is_read_only(const struct store *);

/* Where errno says that this user can't write there, hints at --root. errno stays. */
void store_hint(void);

enum store_lock { STORE_SHARED, STORE_EXCLUSIVE };

/*
 * Keeps layers from being removed (shared) or used (exclusive) until the returned descriptor is
 * closed. Waits where it must, and says so. Returns -1 with a failure.
 */
int store_lock(const struct store *, enum store_lock);

/* Names of a store's work directory, locked until DIR is closed. */
struct work {
	char name[32];
	int dir; /* -1: none */
};

/*
 * Makes a work directory after removing those that nobody works on. Returns 0, or -1 with a
 * failure.
 */
int work_create(const struct store *, struct work *);

/* Removes it with all that is in it. */
void work_destroy(const struct store *, struct work *);

/* Removes work directories whose makers are gone; returns how many. */
int work_sweep(const struct store *);

/*
 * Writes a file durably: into WORK, fsync, rename to DIR/NAME, fsync of DIR (rule 25). Replaces
 * what is there. Returns 0, or -1 with a failure.
 */
int store_write(const struct work *, int dir, const char *name, const void *data, size_t size);

/* True where the store has a layer of this key (diff ID or chain ID). */
bool store_has_layer(const struct store *, const struct digest *key);
bool store_has_image(const struct store *, const struct digest *id);

#endif

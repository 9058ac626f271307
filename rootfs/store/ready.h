/*
 * ROOT/ready/<hex of an image ID>: what a run needs of an image, worked out when it was loaded. A run
 * reads this one file, and neither the list of all that the image was made from nor what is known of
 * each layer: of sixty layers that is a fifth of its whole time.
 *
 *	wherry 1                 what wrote it
 *	root HEX                 struct image's ROOT, if there is one
 *	lower HEX                its LOWERS, topmost first
 *	config {"config":…}      its CONFIG
 *
 * It is a copy: where it is missing, all of it is worked out again. `wherry fsck` compares it.
 */
#ifndef ROOTFS_STORE_READY_H
#define ROOTFS_STORE_READY_H

#include "rootfs/store/image.h"
#include "rootfs/store/store.h"

/*
 * Fills in LOWERS, ROOT and CONFIG of an image whose ID and LOCK are known, from the file or else from
 * the config and the layers. Returns 0; -1 with a failure: it lacks a layer.
 */
int ready_open(const struct store *, struct image *);

/* Writes the file of an image of the store durably where there is none. Returns 0; -1 with a failure. */
int ready_write(const struct store *, const struct work *, const struct digest *id);

bool ready_is_there(const struct store *, const struct digest *id);

/*
 * Writes it anew unless it is what it has to be. Returns 1 if it did, or would have done without a work directory
 * (WORK->dir -1); 0; -1 with a failure.
 */
int ready_repair(const struct store *, const struct work *, const struct digest *id);

/* Removes the files of images that are gone. */
void ready_sweep(const struct store *);

#endif

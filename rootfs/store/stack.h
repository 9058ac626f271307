/* The layers of an image in the store: where each lies, and which of them overlayfs is given. */
#ifndef ROOTFS_STORE_STACK_H
#define ROOTFS_STORE_STACK_H

#include <stdbool.h>

#include "rootfs/base/json.h"
#include "rootfs/store/store.h"
#include "rootfs/layer/findings.h"

/*
 * The name under which the store has a layer: its chain ID where it depends on those below it,
 * else its diff ID. Returns 1, and what is known of it in FOUND; 0: the store doesn't have it; -1
 * with a failure.
 */
int stack_key(const struct store *, const struct digest *diff_id, const struct digest *chain, bool bottom,
	      struct digest *key, struct findings *found);

/* The failure that IMAGE's LAYER, hex of both, is not there. Returns -1. */
int stack_lacks(const struct store *, const char *image, const char *layer);

/*
 * The keys of all layers that a config lists, bottom first, and what is known of each (FOUND may
 * be NULL); the caller's to free. Returns how many, or -1 with a failure: no such config, or a
 * layer that is missing.
 */
int stack_read(const struct store *, const struct digest *id, const json_t *config, struct digest **keys,
	       struct findings **found);

#endif

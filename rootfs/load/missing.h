/*
 * Which layers of an image a load must extract: those that neither the store has, nor the work
 * directory since an earlier image of the same archive.
 */
#ifndef ROOTFS_LOAD_MISSING_H
#define ROOTFS_LOAD_MISSING_H

#include <stdbool.h>

#include "rootfs/archive/plan.h"
#include "rootfs/base/sha256.h"
#include "rootfs/store/store.h"
#include "rootfs/layer/findings.h"

/* A layer that has been extracted and waits in the work directory. */
struct waiting {
	struct digest diff_id;
	struct digest key; /* hex "": not known yet */
	char directory[16], implied[24];
	struct findings found;
};

struct waiting_list {
	struct waiting *at;
	int count;
};

/* The one of this key; NULL: none. */
const struct waiting *waiting_find(const struct waiting_list *, const struct digest *key);

/* The one of this diff ID whose key isn't known yet; NULL: none. */
struct waiting *waiting_fresh(struct waiting_list *, const struct digest *diff_id);

/* As stack_key, with what waits to be put into the store. */
int missing_key(const struct store *, const struct waiting_list *, const struct digest *diff_id,
		const struct digest *chain, bool bottom, struct digest *key);

/*
 * Numbers of the layers of IMAGE that are missing, each diff ID once, to MISSING, which has room
 * for all of them. CHAINS: the image's chain IDs. Returns how many; -1 with a failure.
 */
int missing_find(const struct store *, const struct waiting_list *, const struct plan_image *image,
		 const struct digest *chains, int *missing);

#endif

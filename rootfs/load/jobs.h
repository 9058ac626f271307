/* A layer that is to be extracted, into the store or for an index, and what has come of it. */
#ifndef ROOTFS_LOAD_JOBS_H
#define ROOTFS_LOAD_JOBS_H

#include "rootfs/archive/plan.h"
#include "rootfs/layer/layer.h"
#include "rootfs/store/chain.h"

struct job {
	struct layer layer;
	const char *archive;    /* what it is out of: for messages; borrowed */
	char directory[16];     /* of the work directory: where it goes */
	char implied[24];       /* file beside it: names of directories without an entry */
	struct findings found;  /* filled in */
};

/* Job NUMBER of a work directory: LAYER of the archive, which must have it. Returns 0, or -1 with a failure. */
int job_plan(struct job *, const struct archive *, const struct plan_layer *layer, int number);

/* The directory that it has filled. Returns it, or -1 with a failure. */
int job_open(const struct work *, const char *directory);

/*
 * Gives the layer in DIRECTORY what it takes from the COUNT layers below it, bottom first, and removes its
 * WHITEOUTS of what none of those has. ASKED as chain_complete has it. Returns how many, or -1 with a failure.
 */
int job_complete(const struct work *, const char *directory, const char *implied, const struct chain_layer *below,
		 int count, bool whiteouts, unsigned *asked);

#endif

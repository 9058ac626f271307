/* Several layers at a time, each extracted by a process of its own and its decoder. */
#ifndef ROOTFS_LOAD_LANES_H
#define ROOTFS_LOAD_LANES_H

#include "rootfs/layer/layer.h"
#include "rootfs/store/store.h"

struct lane_job {
	struct layer layer;
	const char *archive;    /* what it is out of: for messages; borrowed */
	char directory[16];     /* of the work directory: where it goes */
	char implied[24];       /* file beside it: names of directories without an entry */
	struct findings found;  /* filled in */
};

/* Extracts all COUNT of them. Returns 0; -1 with the first failure. */
int lanes_run(const struct work *, struct lane_job *jobs, int count, int quiet);

#endif

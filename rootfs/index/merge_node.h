/* The nodes that a walk over layers makes; among the files of rootfs/index/merge.h alone. */
#ifndef ROOTFS_INDEX_MERGE_NODE_H
#define ROOTFS_INDEX_MERGE_NODE_H

#include <sys/stat.h>

#include "rootfs/layer/links.h"
#include "rootfs/index/merge.h"
#include "rootfs/layer/path.h"

struct merge {
	const struct merge_layer *layers;
	struct erofs *erofs;
	struct links links; /* notes: the numbers of their nodes, which are not the root's 0 */
	char path[PATH_BYTES + 1]; /* of the directory at hand: "." or "./a/b" */
};

/*
 * Each returns the number of a node for NAME in the directory at hand of a layer, or -1 with a failure. ABOVE
 * is that directory, open.
 */
int64_t merge_take_directory(struct merge *, int above, const char *name, const struct stat *);
/* What is no directory; one that has several names in its layer becomes one node. */
int64_t merge_take_other(struct merge *, int layer, int above, const char *name, const struct stat *);
/* A directory that no layer describes. */
int64_t merge_take_stat(struct merge *, const struct stat *);

/* Opens the directory at hand in LAYER, O_PATH. Returns -1 with errno. */
int merge_open(const struct merge *, int layer);
/* Records a failure about NAME, with errno. Returns -1. */
int merge_blame(const struct merge *, const char *name);

#endif

/* What overlayfs shows of a stack of layers, as the nodes of one EROFS image without whiteouts. */
#ifndef ROOTFS_INDEX_MERGE_H
#define ROOTFS_INDEX_MERGE_H

#include <stdbool.h>

#include "rootfs/index/erofs.h"

struct merge_layer {
	int dir;           /* its root, written in place (rootfs/layer/tree.h); borrowed */
	const char *name;  /* of DIR, below erofs->copied */
	uint32_t device;   /* that the places of its files are in */
	bool has_root, opaque_root;
};

/* COUNT layers, bottom first. Returns 0, or -1 with a failure. */
int merge_layers(const struct merge_layer *, int count, struct erofs *);

#endif

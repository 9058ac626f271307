/* The way to an entry: directories are opened, or made where the layer has no entry for them. */
#ifndef ROOTFS_LAYER_WALK_H
#define ROOTFS_LAYER_WALK_H

#include "rootfs/layer/tree.h"

/* Opens the first DEPTH directories of PATH, makes what is missing; returns the last, borrowed; -1. */
int walk_enter(struct tree *, const struct path *, int depth);

/* Removes what is at NAME of this layer. Returns 0, or -1 with a failure. */
int walk_clear(struct tree *, int dir, const char *name);

#endif

/* Hard links (IMAGES.md rule 13). */
#ifndef ROOTFS_LAYER_LINK_H
#define ROOTFS_LAYER_LINK_H

#include "rootfs/layer/tree.h"

/* Returns 0, or -1 with a failure. */
int link_add(struct tree *, const struct entry *, int dir, const char *name);

#endif

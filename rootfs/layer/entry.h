/* One entry of a layer: what is made, in which order, and what is refused (IMAGES.md rules 10 to 13 and 19 to 21). */
#ifndef ROOTFS_LAYER_ENTRY_H
#define ROOTFS_LAYER_ENTRY_H

#include "rootfs/layer/tree.h"

/* Both return 0, or -1 with a failure. */
int entry_add(struct tree *, const struct entry *);
/* All entries are there: ends the last file, and sets the times of the directories that are open. */
int entry_finish(struct tree *);

#endif

/* Owner, mode, attributes and times of what a layer has (IMAGES.md rules 19 to 22). */
#ifndef ROOTFS_LAYER_METADATA_H
#define ROOTFS_LAYER_METADATA_H

#include "rootfs/layer/tree.h"

/*
 * Owner, mode and attributes, in that order, since chown(2) clears the setuid bits and capabilities, and writing
 * clears capabilities; then times. FILE is any but a symbolic link. They return 0, or -1 with a failure.
 */
int metadata_set(struct tree *, int file, const struct entry *);
int metadata_set_times(struct tree *, int file, const struct entry *);
/* The same for what has no descriptor and none of the attributes that we keep. */
int metadata_set_special(struct tree *, const struct entry *, int dir, const char *name);
/* A directory on a directory takes the new metadata: the old one's attributes go. */
int metadata_drop_attributes(struct tree *, int dir);

#endif

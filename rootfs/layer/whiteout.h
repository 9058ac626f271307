/* Whiteouts and opaque directories, as overlayfs wants them (IMAGES.md rules 14 to 17). */
#ifndef ROOTFS_LAYER_WHITEOUT_H
#define ROOTFS_LAYER_WHITEOUT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "rootfs/layer/tree.h"

/* True for a 0/0 character device. */
bool whiteout_is_one(const struct stat *);

/* Returns 0, or -1 with a failure; so does the other. */
int whiteout_add(struct tree *, int dir, const char *name);
int whiteout_make_opaque(struct tree *, int dir);

#endif

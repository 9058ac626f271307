/* Among the files of rootfs/inplace.h alone. */
#ifndef ROOTFS_INPLACE_KEY_H
#define ROOTFS_INPLACE_KEY_H

#include "rootfs/sha256.h"

/* The name of its index. PATH is looked up on the disk. Returns 0, or -1 with a failure. */
int inplace_key(const char *path, const char *platform, struct digest *key);

#endif

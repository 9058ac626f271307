/* Among the files of rootfs/store/inplace.h alone. */
#ifndef ROOTFS_STORE_INPLACE_KEY_H
#define ROOTFS_STORE_INPLACE_KEY_H

#include "rootfs/base/sha256.h"

/* The name of its index. PATH is looked up on the disk. Returns 0, or -1 with a failure. */
int inplace_key(const char *path, const char *platform, struct digest *key);

#endif

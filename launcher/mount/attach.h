/* A detached mount put in its place, and changed there: by descriptors, so that no path can lead elsewhere meanwhile. */
#ifndef LAUNCHER_MOUNT_ATTACH_H
#define LAUNCHER_MOUNT_ATTACH_H

#include "launcher/mount/mounts.h"

/*
 * Mounts TREE, detached, on PLACE; both are descriptors, borrowed. FLAGS: MS_RDONLY, MS_NODEV … of mount(2), which each
 * mount of TREE gets beside its own, before anybody sees it (mount_setattr(2), Linux 5.12), or right after that.
 * Returns 0, or -1 with errno.
 */
int attach(const struct mounts *, int tree, int place, unsigned long flags);

/* mount(2) with FLAGS, MS_REMOUNT or a propagation, of TREE, which has been attached. Returns 0, or -1 with errno. */
int attach_change(const struct mounts *, int tree, unsigned long flags);

#endif

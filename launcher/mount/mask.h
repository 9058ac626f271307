/* What of /proc and /sys is hidden in a container, or can only be read. */
#ifndef LAUNCHER_MOUNT_MASK_H
#define LAUNCHER_MOUNT_MASK_H

#include "launcher/mount/mounts.h"

/*
 * The last of all mounts: docker's masked and read-only paths, what in /proc and /sys would reach the host, as they are
 * seen by then. Changes the working directory. Returns 0, or -1 with a failure.
 */
int mask(const struct mounts *);

#endif

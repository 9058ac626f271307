/* The places in a container that something may be mounted on. */
#ifndef LAUNCHER_MOUNT_PLACE_H
#define LAUNCHER_MOUNT_PLACE_H

#include <stdbool.h>

#include "launcher/mount/mounts.h"

/*
 * Opens TARGET, an absolute path in the process's own root without "." and "..", made where it isn't there: a
 * DIRECTORY or an empty file. The image's links are followed, but not onto what the kernel or we have mounted: a place
 * on procfs, sysfs, a cgroup file system, /dev, devpts, or that is the root itself, is refused, unless TARGET's own
 * words name it and docker allows it. SOURCE: what will be mounted there, a descriptor; -1: no bind. Returns a
 * descriptor, O_PATH, the caller's, which is the place whatever its path leads to later; -1 with a failure.
 */
int place_open(const struct mounts *, const char *target, bool directory, int source);

#endif

/* The root file system: an overlay, and the step into it. In the container's own mount namespace. */
#ifndef LAUNCHER_ROOT_H
#define LAUNCHER_ROOT_H

#include "launcher/spec.h"

/*
 * Before: a new mount namespace. After: a tmpfs covers root->staging, nothing propagates to the host,
 * and the container's root file system is mounted at staging/root.
 */
int root_mount(const struct root *);

/* Its root directory, O_PATH, the caller's; -1 with a failure. */
int root_open(const struct root *);

/* Makes it the root of the mount namespace; nothing of the host can be reached by a path any more. */
int root_enter(const struct root *);

/*
 * The last step: the root gets FLAGS of mount(2), MS_NODEV or 0, and MS_RDONLY where the spec says so;
 * mounts below it are not touched.
 */
int root_seal(const struct root *, unsigned long flags);

#endif

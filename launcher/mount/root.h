/* The root file system: an overlay, and the step into it. In the container's own mount namespace. */
#ifndef LAUNCHER_MOUNT_ROOT_H
#define LAUNCHER_MOUNT_ROOT_H

#include "launcher/spec/spec.h"

/*
 * Before: a new mount namespace. After: a tmpfs covers root->staging, nothing propagates to the host,
 * and the container's root file system is mounted at staging/root. USERNS: the user namespace whose
 * ids the owners of its files are mapped to, by id-mapped mounts, the layers as they are; or -1.
 */
int root_mount(const struct root *, int userns);

/*
 * Where the container's root has root->ids: the same outside, seen by nobody. USERNS has these ids.
 * DEVICES are made beside it. Returns all of it, detached, for root_attach, the caller's; -1 with a failure.
 */
int root_build(const struct root *, const struct devices *, int userns);

/* Where these devices are. */
void root_devices(const struct root *, char *path, size_t size);

/*
 * In the container's mount namespace: what root_build returned covers root->staging, and TREE leads
 * there, also for who may not search the directories above.
 */
int root_attach(const struct root *, int tree);

/* Used among the files that make it. */

/* Nothing that is mounted from here on shows in the host's mount namespace, nor the other way. */
int root_part(const struct root *);
/* The layers at TO, which is made, read-only, their owners mapped to USERNS. */
int root_map(const struct root *, int userns, const char *to);

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

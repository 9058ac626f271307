/* What differs in a user namespace, where root is not the machine's (IMAGES.md rule 22). */
#ifndef ROOTFS_BASE_USERNS_H
#define ROOTFS_BASE_USERNS_H

#include <stdbool.h>

/* True where this process' root is not the machine's. */
bool userns_inside(void);

/* Who that root is in the namespace around it: 0 where it is the machine's. */
unsigned userns_root(void);

/*
 * The attribute that makes a directory opaque for overlayfs: mounted with userxattr inside,
 * without outside.
 */
const char *userns_overlay_opaque(void);

#endif

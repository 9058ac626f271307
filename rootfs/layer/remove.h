/* Removal of a directory tree beneath a descriptor. */
#ifndef ROOTFS_LAYER_REMOVE_H
#define ROOTFS_LAYER_REMOVE_H

/*
 * Removes DIR/NAME, whatever it is, and all beneath it, without following a link. Takes 70
 * descriptors at most, however deep it is. What is not there is removed.
 * Returns 0; -1 with errno, no failure recorded.
 */
int tree_remove(int dir, const char *name);

#endif

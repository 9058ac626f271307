/* Removal of a directory tree beneath a descriptor. */
#ifndef ROOTFS_REMOVE_H
#define ROOTFS_REMOVE_H

/*
 * Removes DIR/NAME, whatever it is, and all beneath it, without following a link. Takes a
 * descriptor for each level; a layer has at most TREE_DEPTH of them. What is not there is removed.
 * Returns 0; -1 with errno, no failure recorded.
 */
int tree_remove(int dir, const char *name);

#endif

/* A directory tree, copied with all that a file system knows of it. */
#ifndef ROOTFS_LAYER_COPY_H
#define ROOTFS_LAYER_COPY_H

/*
 * Copies what is in the directory FROM into the empty directory TO, and FROM's own owner, mode,
 * attributes and times. Files of every type but device nodes, which are left out with a warning, holes, and hard
 * links within FROM stay what they are.
 * Nobody else may write to either meanwhile; what the tree's author made is never followed. Nothing
 * is synced. Returns 0, or -1 with a failure.
 */
int copy_tree(int from, int to);

#endif

/*
 * The data of a layer's files: written, or left where they are in the archive, which the file then
 * says (TREE_PLACE).
 */
#ifndef ROOTFS_LAYER_DATA_H
#define ROOTFS_LAYER_DATA_H

#include "rootfs/layer/tree.h"

/* Data of the file that was added last; those of anything else are ignored. Return 0, or -1 with a failure. */
int data_write(struct tree *, int64_t offset, const void *data, size_t size);
/*
 * The same, SIZE bytes that are at FROM of the blob. Only what is not one run there, from a multiple of
 * 512 of the archive on, is written after all: a file with holes.
 */
int data_place(struct tree *, int64_t offset, uint64_t from, size_t size);
/* Ends a file whose data, or the first of them, are a run of the blob. Leaves RUN 0 where they were written. */
int data_end_run(struct tree *);

#endif

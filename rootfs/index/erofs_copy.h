/* Files of an EROFS image whose data are in it: in chunks, so that their holes stay holes. */
#ifndef ROOTFS_INDEX_EROFS_COPY_H
#define ROOTFS_INDEX_EROFS_COPY_H

#include "rootfs/index/erofs.h"

/* A chunk is 1 << this many blocks: 4 KiB, more where there would be too many of them. */
int erofs_chunk_bits(uint64_t size);
uint64_t erofs_chunks(uint64_t size);

/* Bytes of a disk that NODE's data take at least. -1: a failure. */
int64_t erofs_copy_need(const struct erofs *, const struct erofs_node *);

/* Writes all of it to FILE. Returns 0, or -1 with a failure. */
int erofs_put(const struct erofs *, int file, const void *data, size_t size, off_t at);

/*
 * Writes the data of NODE, a file that is copied, behind the first *BLOCKS blocks of FILE, counts them in
 * there, and puts the chunks' addresses into MAP. Returns 0, or -1 with a failure.
 */
int erofs_copy(const struct erofs *, const struct erofs_node *, int file, uint64_t *blocks,
	       unsigned char *map);

#endif

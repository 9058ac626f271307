/* A file with holes in a tar archive: GNU's format 1.0, whose data begin with a map of them. */
#ifndef ROOTFS_EXPORT_PACK_SPARSE_H
#define ROOTFS_EXPORT_PACK_SPARSE_H

#include <stddef.h>
#include <stdint.h>

/* What lies behind the last of them goes whole. */
enum { SPARSE_PIECES = 1024 };

struct sparse {
	struct {
		uint64_t at, size;
	} pieces[SPARSE_PIECES]; /* that have data; the last may have none, and says where the end is */
	size_t count;
	uint64_t data;     /* bytes of all pieces */
	size_t map_size;   /* a multiple of a block */
	char map[48 * SPARSE_PIECES];
};

/*
 * Looks for the holes of FILE, which is SIZE bytes long. Returns 1; 0: it has none, or its file system
 * doesn't tell; -1 with errno.
 */
int sparse_find(struct sparse *, int file, uint64_t size);

#endif

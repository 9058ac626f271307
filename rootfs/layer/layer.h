/* One layer: from a blob to a tree, both digests checked. */
#ifndef ROOTFS_LAYER_LAYER_H
#define ROOTFS_LAYER_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "rootfs/base/blob.h"
#include "rootfs/base/sha256.h"
#include "rootfs/layer/findings.h"

struct layer {
	struct blob blob;
	struct digest digest;  /* of the blob; hex is "" where the archive states none */
	struct digest diff_id; /* of the decompressed stream; hex is "" where it is to be found out */
	bool in_place;         /* the data of its files stay in the blob: rootfs/layer/tree.h */
	uint64_t window;       /* bytes that zstd and xz may ask to remember */
	uint64_t need;         /* of a disk, by all layers of the load at least: for messages */
};

/* What a layer may not go over, whatever its digest says. */
struct layer_limits {
	uint64_t stream;  /* bytes decompressed */
	uint64_t tail;    /* of them behind the archive's end */
	uint64_t entries;
	int64_t file;     /* a file's size, holes included */
};
extern const struct layer_limits layer_limits;

/*
 * Extracts it into ROOT, an empty directory. IMPLIED gets the names of directories without an
 * entry, NUL behind each. PROGRESS, where it isn't NULL, counts the blob's bytes as they are read.
 * Returns 0; -1 with a failure, and then what is in ROOT is of no use.
 */
int layer_extract(const struct layer *, const struct layer_limits *, int root, int implied,
		  _Atomic uint64_t *progress, struct findings *);

#endif

/* What is found out about a layer while it is extracted. It holds no pointers: a process sends it to another. */
#ifndef ROOTFS_LAYER_FINDINGS_H
#define ROOTFS_LAYER_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "rootfs/base/sha256.h"
#include "rootfs/layer/left_out.h"

struct findings {
	uint64_t entries; /* as many as the archive has */
	uint64_t bytes;   /* of data written */
	uint64_t disk;    /* about as many bytes of a disk, in blocks of 4 KiB */
	uint64_t names;   /* in the finished tree, its root left out */
	uint64_t content; /* bytes of its files, each counted once: what a disk that forgot would lack */
	uint64_t sum;     /* checksum_of() what was written into its files */
	bool replaced;    /* some of that is not there any more: the sum says nothing */
	struct digest diff_id; /* of the stream, as it was found */
	struct left_out left_out;
	bool has_root;    /* it has an entry for its root */
	bool opaque_root; /* it hides all layers below it */
	bool implied;     /* what it is depends on the layers below it (IMAGES.md rules 12 and 16) */
	bool whiteouts;   /* some lie below its root, and may be of nothing there */
};

#endif

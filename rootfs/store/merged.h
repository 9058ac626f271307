/*
 * What several layers show together, as overlayfs merges them: which of them a directory is made of.
 *
 * Layers are asked no more than an answer takes, and each once about a directory, where directories are
 * asked about in their order: an image may have 500 layers, and each 256 directories one in the other.
 */
#ifndef ROOTFS_STORE_MERGED_H
#define ROOTFS_STORE_MERGED_H

#include <stdbool.h>

/* Where a layer lies: an open directory's name, and what is known of it. */
struct chain_layer {
	int dir; /* of the layer's root */
	bool opaque_root;
};

struct merged;

/* COUNT layers, bottom first, borrowed; ASKED counts questions to them. NULL: a failure. */
struct merged *merged_open(const struct chain_layer *layers, int count, unsigned *asked);
void merged_close(struct merged *);

/*
 * The topmost layer that shows a directory at PATH, which has no "." or ".." in it, none of the layers above
 * hiding it. Returns its number; MERGED_NONE; MERGED_FAILED with a failure: so many have been asked that it
 * must be an attack.
 */
enum { MERGED_NONE = -1, MERGED_FAILED = -2 };
int merged_find(struct merged *, const char *path);

#endif

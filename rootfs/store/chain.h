/*
 * Keys of layers, and what a layer takes from those below it (IMAGES.md rules 12 and 16).
 *
 * Most layers are kept under their diff ID. One that holds directories without an entry, or
 * whiteouts, depends on the layers below it, so it is kept under the chain ID, which stands for all
 * of them (OCI image-spec, config).
 */
#ifndef ROOTFS_STORE_CHAIN_H
#define ROOTFS_STORE_CHAIN_H

#include "rootfs/base/sha256.h"
#include "rootfs/store/merged.h"
#include "rootfs/store/store.h"

/* Chain IDs of COUNT layers, bottom first. */
void chain_ids(const struct digest *diff_ids, int count, struct digest *chains);

/*
 * Gives the directories that the file IMPLIED names (rootfs/layer/tree.h) in the layer TOP the owner,
 * mode, attributes and times that the COUNT layers below show, bottom first. ASKED counts questions to them, of
 * which there may only be so many: 0 before an image's first layer. Returns 0, or -1 with a failure.
 */
int chain_complete(int top, int implied, const struct chain_layer *below, int count, unsigned *asked);

/*
 * Removes the whiteouts of the layer TOP from directories that none of the COUNT layers below has:
 * overlayfs merges nothing there, and shows what it finds. Returns how many, or -1 with a failure.
 */
int chain_drop_whiteouts(int top, const struct chain_layer *below, int count, unsigned *asked);

#endif

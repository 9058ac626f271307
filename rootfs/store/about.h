/* ROOT/layers/<hex>.about: what a layer's directory cannot say of itself, a line each. */
#ifndef ROOTFS_STORE_ABOUT_H
#define ROOTFS_STORE_ABOUT_H

#include "rootfs/store/store.h"
#include "rootfs/layer/findings.h"

/*
 *	entries 13301
 *	bytes 462000000        of the files' contents
 *	disk 498000000         about as much of a disk
 *	names 12954            in the tree, for wherry fsck
 *	content 455000000      bytes of its files, likewise
 *	sum 15793112233445566  of what they hold (checksum.h), where it is known
 *	no-root                no entry for its root: that's another layer's to describe
 *	opaque-root            hides the layers below it
 *	implied                took owners and modes from the layers below it
 */

/* Writes DIR/NAME, which must not be there. Returns 0, or -1 with a failure. */
int about_write(int dir, const char *name, const struct findings *);

/* Reads that of the layer KEY of the store. Returns 0, or -1 with a failure. */
int about_read(const struct store *, const struct digest *key, struct findings *);

/* The file's name: KEY and ".about". */
struct about_name {
	char text[DIGEST_HEX + sizeof(".about")];
};
struct about_name about_name(const struct digest *key);

#endif

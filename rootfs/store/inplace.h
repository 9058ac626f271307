/*
 * Images that are run out of their archive, which is not unpacked: the store has an index of the
 * archive, an EROFS image of names and metadata whose files' data lie in the archive itself.
 *
 *	ROOT/indexes/<hex>/     hex of the SHA-256 of the archive's path and the platform
 *		tree.erofs      rootfs/index/erofs.h; its devices are the files that SEALS calls "layer", in order
 *		config          the image's, byte for byte
 *		seals           what it was made of, a line each: see rootfs/store/seals.h
 *
 * The layers are hashed when the index is made, and never again: an archive with another inode, size or
 * time than it had then is not the same, and gets a new index.
 */
#ifndef ROOTFS_STORE_INPLACE_H
#define ROOTFS_STORE_INPLACE_H

#include "rootfs/store/images.h"
#include "rootfs/store/store.h"

struct inplace {
	char id[65];   /* hex of the image ID */
	int index;     /* tree.erofs, open; -1: none */
	int *devices;  /* what its files' data are in, open; owned */
	size_t device_count;
	char *config;  /* NUL behind; owned */
	size_t config_size;
};

/*
 * Opens the index of the archive PATH. PLATFORM NULL: this machine's. Returns 1; 0: there is none, or one
 * of what the archive was before; -1 with a failure.
 */
int inplace_find(const struct store *, const char *path, const char *platform, struct inplace *);

/*
 * Makes it, and replaces an older one. Takes root's rights: its work is in a tmpfs of its own. Returns 0,
 * or -1 with a failure.
 */
int inplace_make(struct store *, const char *path, const char *platform);

void inplace_close(struct inplace *);

/* Removes the indexes of the archive PATH, which may be gone. Returns how many, or -1 with a failure. */
int inplace_remove(struct store *, const char *path);

/*
 * Removes the indexes of archives that are gone or have changed; CHECK: those that are damaged, too; LOOK: of
 * the same none is removed. Tells of each, where TOLD isn't NULL. Returns how many, or -1 with a failure.
 */
enum inplace_sweep { INPLACE_STALE, INPLACE_CHECK, INPLACE_LOOK };
int inplace_sweep(struct store *, enum inplace_sweep, fsck_told *);

#endif

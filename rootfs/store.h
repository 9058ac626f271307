/* The image store: ROOT/{layers,images,names,tmp}, all that lasts. `ls` is its debugger. */
#ifndef ROOTFS_STORE_H
#define ROOTFS_STORE_H

#include <stdbool.h>

/* Descriptors of its directories, each -1 where it doesn't exist (a store nobody has written to). */
struct store {
	const char *path; /* as the user named it: for messages; borrowed */
	int root, layers, images, names, tmp;
};

enum store_mode {
	STORE_READ,  /* never writes; a missing store is an empty one */
	STORE_WRITE, /* makes what is missing, 0700 */
};

/*
 * Opens the store at PATH. A store of a newer version, or one that belongs to somebody else, is a
 * failure. Returns 0, or -1 with a failure.
 */
int store_open(struct store *, const char *path, enum store_mode);

void store_close(struct store *);

#endif

/* An image of the store, ready to be run: its config and its layers as overlay lowers. */
#ifndef ROOTFS_STORE_IMAGE_H
#define ROOTFS_STORE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "rootfs/store/store.h"

struct image {
	char id[65];   /* hex of the image ID, the SHA-256 of the config */
	char *config;  /* JSON: of the config that one member, "config", which says how to run it; in TEXT */
	size_t config_size;
	/*
	 * Names of the layers' directories under store->layers, topmost first; in TEXT. Empty layers
	 * are left out, a layer that is there twice stands once, at its topmost place (overlayfs
	 * answers ELOOP otherwise), and nothing stands below an opaque root.
	 */
	char **lowers;
	size_t lower_count;
	/*
	 * The layer whose root describes the image's: its mode, owner and times belong on the
	 * upper directory, whose root is what a container sees (in TEXT). NULL: no layer says, then
	 * 0755 root.
	 */
	char *root;
	char *text; /* owned, and LOWERS itself */
	int lock; /* descriptor, held shared for as long as the image is in use; inherits nothing */
};

/*
 * Opens the image of that ID, and locks it against removal: which one a person means, rootfs/load/find.h knows. Returns 0;
 * -1 with a failure.
 */
int image_open(const struct store *, const struct digest *id, struct image *);

/*
 * A file was looked into when it was loaded; what the store has under a name may be for any machine. Returns 0 where it
 * runs on the platform ASKED for, "linux/arm/v7"; -1 with a failure that calls it NAME.
 */
int image_check_platform(const struct image *, const char *name, const char *asked);

/* Its whole config, byte for byte as it was loaded, NUL behind; the caller's. NULL with a failure. */
char *image_config(const struct image *, size_t *size);

/*
 * Where one of its layers is gone, that is the failure of who used them, whatever they saw of it: a
 * run doesn't look at each beforehand. Returns -1.
 */
int image_explain(const struct store *, const struct image *);

void image_close(struct image *);

#endif

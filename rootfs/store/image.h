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

/* What a load is told. Zero is the default. */
struct load_options {
	const char *name;     /* NULL: the names in the archive */
	const char *platform; /* "linux/arm/v7"; NULL: this machine's */
	const char *ref;      /* the image of that tag or name of several; NULL: all */
	int quiet;            /* no progress, and nothing of what is passed over */
	uint64_t window;      /* bytes that zstd and xz may ask to remember; 0: 8 MiB */
};

/*
 * Finds the image NAME as the command line has it: a path if it starts with "/", "./" or "../", else a
 * name of the store ("busybox", "library/busybox:1.36", "@sha256:…", an unambiguous prefix of an
 * image ID), else a file of that name. A file is loaded first, and costs reading its index only
 * where the store has it already. Opens the image and locks it against removal.
 * Returns 0; -1 with a failure.
 */
int image_open(struct store *, const char *name, const struct load_options *, struct image *);

/* Its whole config, byte for byte as it was loaded, NUL behind; the caller's. NULL with a failure. */
char *image_config(const struct image *, size_t *size);

/*
 * Where one of its layers is gone, that is the failure of who used them, whatever they saw of it: a
 * run doesn't look at each beforehand. Returns -1.
 */
int image_explain(const struct store *, const struct image *);

void image_close(struct image *);

#endif

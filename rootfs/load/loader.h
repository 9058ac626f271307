/* Loads images from a file into the store. */
#ifndef ROOTFS_LOAD_LOADER_H
#define ROOTFS_LOAD_LOADER_H

#include "rootfs/store/store.h"
#include "rootfs/archive/plan.h"

/* What a load is told. Zero is the default. */
struct load_options {
	const char *name;     /* NULL: the names in the archive */
	const char *platform; /* "linux/arm/v7"; NULL: this machine's */
	const char *ref;      /* the image of that tag or name of several; NULL: all */
	int quiet;            /* no progress, and nothing of what is passed over */
	uint64_t window;      /* bytes that zstd and xz may ask to remember; 0: 8 MiB */
};

/* What a load has done, for who tells it. */
struct load_result {
	struct digest id;   /* of the first image */
	int images, layers; /* in the archive; layers that had to be extracted */
	uint64_t written;   /* bytes of the files of these */
};

/* Told of each image as soon as it is durable: its names, none or several. */
typedef void load_told(void *context, const struct plan_image *);

/*
 * Loads PATH ("-": standard input; FILE:TAG: that image of several alone). What the store has already isn't read again; then only the
 * index is. On failure the store is what it was. Returns 0; -1 with a failure.
 */
int loader_load(struct store *, const char *path, const struct load_options *, struct load_result *,
		load_told *, void *context);

/*
 * As loader_load, for one image whose documents the caller has made, under one name, a full one,
 * with a work directory of the caller's. PATH: where its layers are from, for messages.
 */
int loader_put(struct store *, const struct work *, const char *path, const struct plan_image *, const char *full);

#endif

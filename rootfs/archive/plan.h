/*
 * What an archive's documents say is in it: images, their configs, layers and names, each checked.
 */
#ifndef ROOTFS_ARCHIVE_PLAN_H
#define ROOTFS_ARCHIVE_PLAN_H

#include "rootfs/archive/archive.h"
#include "rootfs/base/sha256.h"

struct plan_layer {
	struct digest diff_id;
	struct digest digest; /* hex "" where none is stated: old docker archives */
	struct blob blob;
	bool there;           /* the archive has it */
	char name[128];       /* of its member, for messages */
};

struct plan_image {
	struct digest id;
	struct digest manifest; /* of its manifest; hex "" where it has none */
	char *config;
	size_t config_size;
	struct plan_layer *layers; /* bottom first; none: an image of nothing but its config */
	int layer_count;
	char **names;
	int name_count;
	int score; /* how well its config's platform fits: the greater the better */
};

struct plan {
	struct plan_image *images;
	int count;
};

/* Zero is the default. */
struct plan_options {
	const char *platform; /* "linux/arm/v7"; NULL: this machine's */
	const char *ref;      /* only the image of that tag or name; NULL: all of them */
	bool quiet;           /* says nothing of what is passed over */
};

/*
 * What is no image for the platform is passed over and named; that nothing is left is a failure.
 * Returns 0, or -1 with a failure that names the archive.
 */
int plan_read(struct plan *, struct archive *, const struct plan_options *);
void plan_free(struct plan *);

/* Adds a name that the archive gives; one that the store can't hold is told, and left out. */
int plan_add_name(struct plan_image *, const char *name);

#endif

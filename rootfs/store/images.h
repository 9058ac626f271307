/* The images of a store: listing them, and taking them out. */
#ifndef ROOTFS_STORE_IMAGES_H
#define ROOTFS_STORE_IMAGES_H

#include <jansson.h>
#include <stdint.h>

#include "rootfs/store/store.h"

struct listed_image {
	struct digest id;
	char **names;
	int name_count;
	char **digests;       /* NAME@sha256:…, its manifests */
	int digest_count;
	char created[32];     /* as its config has it, "" where it doesn't */
	char platform[48];
	uint64_t disk;        /* about as many bytes of its layers on a disk */
	uint64_t shared;      /* of these, in layers that other images have, too */
	struct digest *keys;  /* of its layers, bottom first */
	int key_count;        /* 0 where some are missing */
};

struct image_list {
	struct listed_image *at;
	int count;
};

/* The whole config of an image; NULL with a failure. The caller's. */
json_t *images_config(const struct store *, const struct digest *id);

/* All images, by name, then by ID. Returns 0, or -1 with a failure. */
int images_list(const struct store *, struct image_list *);
void images_free(struct image_list *);

/* What a removal has done. */
struct removal {
	int names, images, layers, indexes;
	int stays; /* things that are damaged, and in use or in a store that is read-only */
	bool read_only; /* the store was, so that nothing has been removed */
	uint64_t disk;
	char untagged[512]; /* the names that are gone, a space between, as far as there is room */
};

/*
 * Takes the name TEXT away; the image with it, if that was its last, and layers that no other
 * image has. TEXT may be the end of a name, if it is that one's alone, or an ID: then all names go. An image
 * that is in use stays, with a failure; so does one of several names that TEXT gives the ID of, but with FORCE.
 */
enum remove_how { REMOVE_CAREFULLY, REMOVE_FORCE };
int images_remove(struct store *, const char *text, enum remove_how, struct removal *);

/*
 * Removes layers that no image has, and what broken loads have left; images without a name, too,
 * if NAMELESS; all that no container runs from, if UNUSED.
 */
enum prune_what { PRUNE_LEFTOVERS, PRUNE_NAMELESS, PRUNE_UNUSED };
int images_prune(struct store *, enum prune_what, struct removal *);

/*
 * Looks at all that can be looked at: configs against their IDs, names against configs, layers
 * against what was counted when they were made. Removes what is broken or not needed, and tells of
 * each thing, a line without a newline. Returns how many images must be loaded again, or -1 with a
 * failure.
 */
typedef void fsck_told(const char *line);
int images_fsck(struct store *, fsck_told *, struct removal *);

/* Used among the files that write it; under an exclusive lock. */
bool image_in_use(const struct store *, const struct digest *id);
int images_sweep(struct store *, struct removal *);

#endif

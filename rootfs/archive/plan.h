/*
 * What an archive's documents say is in it: images, their configs, layers and names, each checked.
 */
#ifndef ROOTFS_ARCHIVE_PLAN_H
#define ROOTFS_ARCHIVE_PLAN_H

#include "rootfs/archive/archive.h"
#include "rootfs/base/json.h"
#include "rootfs/base/platform.h"

struct plan_layer {
	struct digest diff_id;
	struct digest digest; /* hex "" where none is stated: old docker archives */
	struct blob blob;
	bool there;           /* the archive has it */
	char name[128];       /* of its member, for messages */
};

struct plan_image {
	struct digest id;
	char *config;
	size_t config_size;
	struct plan_layer *layers; /* bottom first */
	int layer_count;
	char **names;
	int name_count;
};

struct plan {
	struct plan_image *images;
	int count;
};

/* PLATFORM NULL: this machine's. Returns 0, or -1 with a failure that names the archive. */
int plan_read(struct plan *, struct archive *, const char *platform);
void plan_free(struct plan *);

/*
 * What follows is among the plan_*.c files alone.
 *
 * A place in the OCI documents: what is pointed at, and how it must hash.
 */
struct descriptor {
	const char *media_type; /* "" where absent; borrowed */
	struct digest digest;
	long long size;
};

struct plan_reader {
	struct archive *archive;
	struct plan *plan;
	struct platform platform;
	bool any; /* the platform was not asked for: it is this machine's */
	size_t config_bytes, layer_count; /* of the images so far */
	size_t names;        /* that manifest.json gives */
};

struct plan_image *plan_add(struct plan_reader *);
int plan_add_name(struct plan_image *, const char *name);
/*
 * Takes the image's config: its ID, its platform, its diff IDs, for which layers are made. Returns
 * 0, or -1.
 */
int plan_set_config(struct plan_reader *, struct plan_image *, char *config, size_t size);
/* The document NAME, which the archive has. NULL: a failure. */
json_t *plan_document(struct plan_reader *, const char *name);
/* docker-archive: manifest.json. */
int plan_read_docker(struct plan_reader *);
/* OCI: index.json. */
int plan_read_oci(struct plan_reader *);

#endif

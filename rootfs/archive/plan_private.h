/* What the readers of an archive's documents share: plan_docker.c, plan_index.c, plan_manifest.c. */
#ifndef ROOTFS_ARCHIVE_PLAN_PRIVATE_H
#define ROOTFS_ARCHIVE_PLAN_PRIVATE_H

#include "rootfs/archive/plan.h"
#include "rootfs/archive/plan_passed.h"
#include "rootfs/base/json.h"
#include "rootfs/base/platform.h"

struct plan_reader {
	struct archive *archive;
	struct plan *plan;
	const struct plan_options *options;
	struct platform platform;
	struct passed passed;
	char unwanted[300]; /* names of images that were not asked for */
	/* Of all images and indexes together, so that work is in proportion to what there is. */
	size_t config_bytes, document_bytes, layer_count, name_count, entry_count;
};

/*
 * What reads one entry answers with this. Foreign: it is no image for the platform, and passed_because
 * or passed_for_platform has noted why.
 */
enum plan_answer { PLAN_FAILED = -1, PLAN_FOREIGN, PLAN_TAKEN };

/* An image without anything, at the plan's end. NULL: a failure. */
struct plan_image *plan_add(struct plan_reader *);
/* Forgets the images from number COUNT on. */
void plan_cut(struct plan *, int count);
/* Whether NAME, a tag or a whole name, is what was asked for; so is any where nothing was. */
bool plan_is_wanted(const struct plan_reader *, const char *name);
/* Notes the name of an image that was not asked for. */
void plan_note_unwanted(struct plan_reader *, const char *name);
/* Takes the image's config, which is freed with it: its ID, its platform, its diff IDs. */
enum plan_answer plan_set_config(struct plan_reader *, struct plan_image *, char *config, size_t size);
/* The document NAME, which the archive has. NULL: a failure. */
json_t *plan_document(struct plan_reader *, const char *name);

#endif

/* The images of a plan as they grow: what both kinds of documents give of one. */
#include <stdlib.h>
#include <string.h>

#include "rootfs/archive/plan_private.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/names.h"

enum {
	LAYERS = 500, /* as many as overlayfs takes */
	IMAGES = 1000,
	/* Of all images together, since one config and one layer may be listed for each. */
	CONFIG_BYTES = 16 << 20,
	ALL_LAYERS = 20000,
};

static void free_image(struct plan_image *image)
{
	for (int i = 0; i < image->name_count; i++)
		free(image->names[i]);
	free(image->names);
	free(image->layers);
	free(image->config);
}

void plan_cut(struct plan *plan, int count)
{
	while (plan->count > count)
		free_image(&plan->images[--plan->count]);
}

void plan_free(struct plan *plan)
{
	plan_cut(plan, 0);
	free(plan->images);
	*plan = (struct plan){ 0 };
}

struct plan_image *plan_add(struct plan_reader *reader)
{
	struct plan *plan = reader->plan;
	if (plan->count == IMAGES) {
		failx("%s: more than %d images are in it", reader->archive->path, IMAGES);
		return NULL;
	}
	struct plan_image *grown = realloc(plan->images, (plan->count + 1) * sizeof(*grown));
	if (!grown) {
		fail("read %s", reader->archive->path);
		return NULL;
	}
	plan->images = grown;
	grown[plan->count] = (struct plan_image){ 0 };
	return &grown[plan->count++];
}

int plan_add_name(struct plan_image *image, const char *name)
{
	char full[NAMES_BYTES + 1];
	if (!names_complete(name, full)) {
		warn("'%.100s' is no name for an image: it is left out", name);
		return 0;
	}
	char **grown = realloc(image->names, (image->name_count + 1) * sizeof(*grown));
	if (!grown)
		return fail("note an image's name");
	image->names = grown;
	grown[image->name_count] = strdup(full);
	return grown[image->name_count] ? (image->name_count++, 0) : fail("note an image's name");
}

/* A tag is the end of a name, behind its last colon: "1.36" of "library/busybox:1.36". */
bool plan_is_wanted(const struct plan_reader *reader, const char *name)
{
	char full[NAMES_BYTES + 1], wanted[NAMES_BYTES + 1];
	const char *ref = reader->options->ref;
	if (!ref || !strcmp(name, ref))
		return true;
	const char *colon = strrchr(name, ':');
	if (colon && !strchr(colon, '/') && !strcmp(colon + 1, ref))
		return true;
	return names_complete(name, full) && names_complete(ref, wanted) && !strcmp(full, wanted);
}

void plan_note_unwanted(struct plan_reader *reader, const char *name)
{
	size_t used = strlen(reader->unwanted), size = sizeof(reader->unwanted);
	if (used + strlen(name) + 8 < size)
		snprintf(reader->unwanted + used, size - used, "%s%s", used ? ", " : "", name);
	else if (used + 8 < size)
		strcat(reader->unwanted, ", …");
}

/* Its score: one that states nothing will do where no other does. */
static bool suits(struct plan_reader *reader, struct plan_image *image, const json_t *config)
{
	struct platform platform;
	if (!platform_suits(config, &reader->platform, &platform)) {
		passed_for_platform(&reader->passed, &platform);
		return false;
	}
	image->score = 1 + (platform.variant || *platform.arch ? platform_match(&platform, &reader->platform) : 0);
	return true;
}

/* No diff IDs: an image of nothing but its config, which docker writes without the list. */
static int make_layers(struct plan_reader *reader, struct plan_image *image,
		       const json_t *config)
{
	const json_t *diff_ids = json_member_array(json_member_object(config, "rootfs"),
						   "diff_ids");
	const char *path = reader->archive->path;
	size_t count = json_array_size(diff_ids);
	if (count > LAYERS)
		return failx("%s: the image has %zu layers; overlayfs takes %d", path, count,
			     LAYERS);
	reader->layer_count += count;
	if (reader->layer_count > ALL_LAYERS)
		return failx("%s: its images have more than %d layers", path, ALL_LAYERS);
	image->layers = calloc(count + 1, sizeof(*image->layers));
	if (!image->layers)
		return fail("read %s", path);
	for (; image->layer_count < (int)count; image->layer_count++)
		if (!digest_parse(json_string_value(json_array_get(diff_ids, image->layer_count)),
				  &image->layers[image->layer_count].diff_id))
			return failx(
				"%s: the image's config has a diff ID that is no sha256 digest",
				path);
	return 0;
}

enum plan_answer plan_set_config(struct plan_reader *reader, struct plan_image *image, char *config,
				 size_t size)
{
	char what[256];
	image->config = config;
	image->config_size = size;
	image->id = sha256_of(config, size);
	reader->config_bytes += size;
	if (reader->config_bytes > CONFIG_BYTES)
		return failx("%s: its images' configs take more than %d MiB together",
			     reader->archive->path, CONFIG_BYTES >> 20);
	snprintf(what, sizeof(what), "%.200s: the image's config", reader->archive->path);
	scoped_json *json = json_read(config, size, what);
	if (!json)
		return PLAN_FAILED;
	if (!json_is_object(json))
		return failx("%s is no object", what);
	if (!suits(reader, image, json))
		return PLAN_FOREIGN;
	return make_layers(reader, image, json) < 0 ? PLAN_FAILED : PLAN_TAKEN;
}

json_t *plan_document(struct plan_reader *reader, const char *name)
{
	scoped_ptr char *text = NULL;
	char what[256];
	size_t size;
	if (archive_read(reader->archive, name, &text, &size) < 0)
		return NULL;
	snprintf(what, sizeof(what), "%.200s: %s", reader->archive->path, name);
	return json_read(text, size, what);
}

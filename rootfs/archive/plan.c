#include "rootfs/archive/plan.h"

#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/store/names.h"
#include "rootfs/base/scoped.h"

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

void plan_free(struct plan *plan)
{
	for (int i = 0; i < plan->count; i++)
		free_image(&plan->images[i]);
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

/*
 * An archive may call an image what it likes; a name that the store could not hold is told, and
 * left out.
 */
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

static int check_platform(const struct plan_reader *reader, const json_t *config)
{
	struct platform image;
	char theirs[48], ours[48];
	if (platform_suits(config, &reader->platform, &image))
		return 0;
	platform_text(&image, theirs);
	platform_text(&reader->platform, ours);
	failx("%s: the image is for %s, not for %s%s", reader->archive->path, theirs, ours,
	      reader->any ? ", which this machine is" : "");
	return strcmp(image.os, "linux") ? -1 : hint("--platform %s loads it all the same", theirs);
}

static int make_layers(struct plan_reader *reader, struct plan_image *image,
		       const json_t *config)
{
	const json_t *diff_ids = json_member_array(json_member_object(config, "rootfs"),
						   "diff_ids");
	const char *path = reader->archive->path;
	size_t count = json_array_size(diff_ids);
	if (!diff_ids || !count)
		return failx("%s: the image's config lists no layers (rootfs.diff_ids)", path);
	if (count > LAYERS)
		return failx("%s: the image has %zu layers; overlayfs takes %d", path, count,
			     LAYERS);
	reader->layer_count += count;
	if (reader->layer_count > ALL_LAYERS)
		return failx("%s: its images have more than %d layers", path, ALL_LAYERS);
	image->layers = calloc(count, sizeof(*image->layers));
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

int plan_set_config(struct plan_reader *reader, struct plan_image *image, char *config, size_t size)
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
		return -1;
	if (!json_is_object(json))
		return failx("%s is no object", what);
	if (check_platform(reader, json) < 0)
		return -1;
	return make_layers(reader, image, json);
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

/* Today's docker save has both kinds of documents; its names are in the older one. */
static int read_documents(struct plan_reader *reader)
{
	struct blob blob;
	int docker = archive_find(reader->archive, "manifest.json", &blob);
	int oci = docker < 0 ? -1 : archive_find(reader->archive, "index.json", &blob);
	if (oci < 0)
		return -1;
	if (oci && (!docker || !reader->any))
		return plan_read_oci(reader);
	if (docker)
		return plan_read_docker(reader);
	if (archive_find(reader->archive, "repositories", &blob) > 0)
		return failx(
			"%s: it has no manifest.json: it was saved by a Docker older than 1.10",
			reader->archive->path);
	if (reader->archive->cut)
		return failx("%s: it is truncated: it ends before a manifest.json or an index.json",
			     reader->archive->path);
	failx("%s: it has neither a manifest.json nor an index.json", reader->archive->path);
	return hint("wherry reads what docker save, podman save or skopeo copy make; wherry import "
		    "takes a root file system");
}

static struct plan_image *find_id(struct plan_image *images, int count, const struct digest *id)
{
	for (int i = 0; i < count; i++)
		if (digest_equal(&images[i].id, id))
			return &images[i];
	return NULL;
}

/* One that is listed under two names, each on its own, is one image with both. */
static int merge_same(struct plan *plan)
{
	int kept = 0, result = 0;
	for (int i = 0; i < plan->count; i++) {
		struct plan_image *image = &plan->images[i];
		struct plan_image *first = find_id(plan->images, kept, &image->id);
		for (int j = 0; first && j < image->name_count && result == 0; j++)
			result = plan_add_name(first, image->names[j]);
		if (first)
			free_image(image);
		else
			plan->images[kept++] = *image;
	}
	plan->count = kept;
	return result;
}

int plan_read(struct plan *plan, struct archive *archive, const char *platform)
{
	struct plan_reader reader = { .archive = archive, .plan = plan, .any = !platform };
	*plan = (struct plan){ 0 };
	platform_native(&reader.platform);
	if (platform && platform_parse(&reader.platform, platform) < 0)
		return -1;
	if (read_documents(&reader) == 0 && merge_same(plan) == 0)
		return plan->count ? 0 : failx("%s: there is no image in it", archive->path);
	plan_free(plan);
	return -1;
}

/*
 * docker-archive: manifest.json names configs and layers of the archive, old (<id>/layer.tar) or
 * new (blobs/sha256/…).
 */
#include "rootfs/archive/plan_docker.h"

#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

enum { NAMES = 1000 }; /* each is a file, which is synced twice */

/*
 * The 64 digits that a member is called by, "blobs/sha256/HEX" or "HEX.json": then it must hash
 * to them.
 */
static bool stated_digest(const char *name, struct digest *digest)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	size_t length = strlen(base);
	bool blob = !strncmp(name, "blobs/sha256/", 13) && base == name + 13 &&
		    length == DIGEST_HEX;
	bool config = !slash && length == DIGEST_HEX + 5 && !strcmp(base + DIGEST_HEX, ".json");
	if ((!blob && !config) || !digest_is_hex(base, DIGEST_HEX))
		return false;
	memcpy(digest->hex, base, DIGEST_HEX);
	digest->hex[DIGEST_HEX] = '\0';
	return true;
}

static enum plan_answer read_config(struct plan_reader *reader, struct plan_image *image, const char *name)
{
	char *text = NULL;
	size_t size;
	struct digest stated;
	const char *path = reader->archive->path;
	int found = archive_read(reader->archive, name, &text, &size);
	if (found <= 0)
		return found < 0 ? PLAN_FAILED
				 : failx("%s: the image's config %.200s is missing", path, name);
	enum plan_answer answer = plan_set_config(reader, image, text, size);
	if (answer != PLAN_FAILED && stated_digest(name, &stated) && !digest_equal(&stated, &image->id))
		return failx("%s: the config %.200s has the wrong digest: sha256:%s", path, name,
			     image->id.hex);
	return answer;
}

static int read_layers(struct plan_reader *reader, struct plan_image *image, const json_t *layers)
{
	const char *path = reader->archive->path;
	if ((int)json_array_size(layers) != image->layer_count)
		return failx("%s: manifest.json lists %zu layers, the image's config %d", path,
			     json_array_size(layers), image->layer_count);
	for (int i = 0; i < image->layer_count; i++) {
		struct plan_layer *layer = &image->layers[i];
		const char *name = json_string_value(json_array_get(layers, i));
		if (!name)
			return failx("%s: manifest.json has a layer without a name", path);
		snprintf(layer->name, sizeof(layer->name), "%s", name);
		if (!stated_digest(name, &layer->digest))
			layer->digest.hex[0] = '\0';
		int found = archive_find(reader->archive, name, &layer->blob);
		if (found < 0)
			return -1;
		layer->there = found;
	}
	return 0;
}

/* Those of its names that are wanted. Returns how many, or -1. */
static int add_names(struct plan_reader *reader, struct plan_image *image, const json_t *tags)
{
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const char *name = json_string_value(json_array_get(tags, i));
		if (name && !plan_is_wanted(reader, name))
			plan_note_unwanted(reader, name);
		else if (name && plan_add_name(image, name) < 0)
			return -1;
	}
	return image->name_count;
}

static enum plan_answer read_image(struct plan_reader *reader, const json_t *entry)
{
	const char *path = reader->archive->path, *config = json_text(entry, "Config");
	const json_t *tags = json_member_array(entry, "RepoTags");
	struct plan_image *image = plan_add(reader);
	if (!image)
		return PLAN_FAILED;
	if (!config)
		return failx("%s: manifest.json has an image without a config", path);
	reader->name_count += json_array_size(tags);
	if (reader->name_count > NAMES)
		return failx("%s: manifest.json gives more than %d names", path, NAMES);
	int names = add_names(reader, image, tags);
	if (names <= 0 && (names < 0 || reader->options->ref))
		return names < 0 ? PLAN_FAILED : PLAN_FOREIGN;
	enum plan_answer answer = read_config(reader, image, config);
	if (answer != PLAN_TAKEN)
		return answer;
	return read_layers(reader, image, json_member_array(entry, "Layers")) < 0 ? PLAN_FAILED : PLAN_TAKEN;
}

/* Named as it would be, had it been taken. */
static void pass_over(struct plan_reader *reader, const struct plan_image *image, const json_t *entry)
{
	passed_add(&reader->passed, image->name_count ? image->names[0] : json_text(entry, "Config"));
}

int plan_read_docker(struct plan_reader *reader)
{
	scoped_json *json = plan_document(reader, "manifest.json");
	if (!json)
		return -1;
	if (!json_is_array(json))
		return failx("%.200s: manifest.json is no list of images", reader->archive->path);
	for (size_t i = 0; i < json_array_size(json); i++) {
		int before = reader->plan->count;
		const json_t *entry = json_array_get(json, i);
		enum plan_answer answer = read_image(reader, entry);
		if (answer == PLAN_FAILED)
			return -1;
		if (answer == PLAN_TAKEN)
			continue;
		pass_over(reader, &reader->plan->images[before], entry);
		plan_cut(reader->plan, before);
	}
	return 0;
}

/*
 * docker-archive: manifest.json names configs and layers of the archive, old (<id>/layer.tar) or
 * new (blobs/sha256/…).
 */
#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/archive/plan.h"
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

static int read_config(struct plan_reader *reader, struct plan_image *image, const char *name)
{
	char *text = NULL;
	size_t size;
	struct digest stated;
	const char *path = reader->archive->path;
	int found = archive_read(reader->archive, name, &text, &size);
	if (found <= 0)
		return found < 0 ? -1
				 : failx("%s: the image's config %.200s is missing", path, name);
	if (plan_set_config(reader, image, text, size) < 0)
		return -1;
	if (stated_digest(name, &stated) && !digest_equal(&stated, &image->id))
		return failx("%s: the config %.200s has the wrong digest: sha256:%s", path, name,
			     image->id.hex);
	return 0;
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

static int read_image(struct plan_reader *reader, const json_t *entry)
{
	const char *path = reader->archive->path, *config = json_text(entry, "Config");
	const json_t *layers = json_member_array(entry, "Layers"),
		     *tags = json_member_array(entry, "RepoTags");
	struct plan_image *image = plan_add(reader);
	if (!image)
		return -1;
	if (!config)
		return failx("%s: manifest.json has an image without a config", path);
	if (!layers)
		return failx("%s: manifest.json has an image without layers", path);
	if (read_config(reader, image, config) < 0 || read_layers(reader, image, layers) < 0)
		return -1;
	reader->names += json_array_size(tags);
	if (reader->names > NAMES)
		return failx("%s: manifest.json gives more than %d names", path, NAMES);
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const char *name = json_string_value(json_array_get(tags, i));
		if (name && plan_add_name(image, name) < 0)
			return -1;
	}
	return 0;
}

int plan_read_docker(struct plan_reader *reader)
{
	scoped_json *json = plan_document(reader, "manifest.json");
	if (!json)
		return -1;
	if (!json_is_array(json))
		return failx("%.200s: manifest.json is no list of images", reader->archive->path);
	for (size_t i = 0; i < json_array_size(json); i++)
		if (read_image(reader, json_array_get(json, i)) < 0)
			return -1;
	return 0;
}

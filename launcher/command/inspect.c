/* wherry inspect: all that the store knows of an image, as JSON. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launcher/command/commands.h"
#include "rootfs/store/about.h"
#include "rootfs/base/err.h"
#include "rootfs/store/image.h"
#include "rootfs/store/images.h"
#include "rootfs/store/names.h"
#include "rootfs/base/scoped.h"

static const struct option options[] = { { 0 } };

static json_t *layers_json(const struct store *store, const struct listed_image *listed)
{
	json_t *layers = json_array();
	for (int i = 0; i < listed->key_count; i++) {
		struct findings found;
		if (about_read(store, &listed->keys[i], &found) < 0)
			failure_clear();
		json_array_append_new(layers, json_pack("{s:s, s:I, s:I, s:b, s:b}", "directory",
							listed->keys[i].hex, "entries",
							(json_int_t)found.entries, "size",
							(json_int_t)found.disk, "hides_below",
							found.opaque_root, "depends_on_below",
							found.implied));
	}
	return layers;
}

static json_t *image_json(const struct store *store, const struct listed_image *listed,
			  const char *config, size_t size)
{
	json_t *names = json_array();
	for (int i = 0; i < listed->name_count; i++)
		json_array_append_new(names, json_string(listed->names[i]));
	return json_pack("{s:s+, s:o, s:s, s:s, s:I, s:I, s:b, s:o, s:o}", "id",
			 "sha256:", listed->id.hex, "names", names, "created", listed->created,
			 "platform", listed->platform, "size", (json_int_t)listed->disk, "shared",
			 (json_int_t)listed->shared, "in_use", image_in_use(store, &listed->id),
			 "layers", layers_json(store, listed), "config",
			 json_loadb(config, size, 0, NULL));
}

/* The image is closed before it is asked whether it is in use: our own lock would count. */
static int print(struct store *store, const struct listed_image *listed)
{
	struct image image;
	if (image_open(store, &listed->id, &image) < 0)
		return -1;
	size_t size = 0;
	scoped_ptr char *config = image_config(&image, &size);
	image_close(&image);
	json_t *json = config ? image_json(store, listed, config, size) : NULL;
	int result = json ? json_dumpf(json, stdout, JSON_INDENT(2)) : -1;
	json_decref(json);
	printf("\n");
	return result < 0 ? failx("print what is known of the image") : 0;
}

static int inspect(struct store *store, const char *text)
{
	struct digest id;
	struct image_list list;
	int found = names_find(store, text, &id, NULL), result = -1;
	if (found <= 0)
		return found < 0 ? -1 : failx("there is no image '%s' in %s", text, store->path);
	if (images_list(store, &list) < 0)
		return -1;
	for (int i = 0; i < list.count; i++)
		if (digest_equal(&list.at[i].id, &id))
			result = print(store, &list.at[i]);
	images_free(&list);
	return result < 0 ? failx("image %.12s is gone", id.hex) : 0;
}

static int run(struct store *store, void *words, char **operands)
{
	(void)words;
	return inspect(store, operands[0]);
}

const struct command inspect_command = {
	.name = "inspect",
	.operands = "IMAGE",
	.summary = "Print all that the store knows of an image, as JSON",
	.options = options,
	.least = 1,
	.most = 1,
	.in_store = run,
};

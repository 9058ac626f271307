/* wherry history: how an image was made, as its config tells it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "launcher/command/commands.h"
#include "launcher/command/documents.h"
#include "launcher/format/list.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/about.h"
#include "rootfs/store/names.h"

struct history_words {
	bool whole, quiet, human;
	const char *format;
};

static const struct option options[] = {
	{ "format", 0, "TEMPLATE", "json, or a Go template: '{{.CreatedBy}}'", offsetof(struct history_words, format),
	  option_string },
	{ "human", 'H', NULL, "sizes for people: always done", offsetof(struct history_words, human), option_flag },
	{ "no-trunc", 0, NULL, "shorten nothing", offsetof(struct history_words, whole), option_flag },
	{ "quiet", 'q', NULL, "print the IDs alone", offsetof(struct history_words, quiet), option_flag },
	{ 0 },
};

#define TITLES "ID=IMAGE,CreatedSince=CREATED,CreatedAt=CREATED AT,CreatedBy=CREATED BY,Size=SIZE,Comment=COMMENT"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_text(object, key);
	return text ? text : "";
}

/* LAYER: bytes that it added; 0 where it has no layer. */
static json_t *row(const json_t *entry, const char *id, uint64_t layer, bool whole)
{
	char size[32], since[32], at[32], by[64];
	const char *created = text_of(entry, "created"), *made_by = text_of(entry, "created_by");
	if (!whole && strlen(made_by) > 45) {
		snprintf(by, sizeof(by), "%.44s…", made_by);
		made_by = by;
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "ID", id, "CreatedSince", document_since(created, since),
			 "CreatedAt", document_at(created, at), "CreatedBy", made_by, "Size", document_size(layer, size),
			 "Comment", text_of(entry, "comment"));
}

static uint64_t layer_size(const struct store *store, const struct listed_image *image, int layer)
{
	struct findings found = { 0 };
	if (layer < image->key_count && about_read(store, &image->keys[layer], &found) < 0)
		failure_clear();
	return found.disk;
}

/* The newest first; the image's ID stands at it, as nobody has kept the others'. */
static int add_rows(json_t *rows, const struct store *store, const struct listed_image *image, bool whole)
{
	char id[80];
	int layer = 0;
	size_t i;
	json_t *entry;
	scoped_json *config = images_config(store, &image->id);
	if (!config)
		return -1;
	const json_t *history = json_member_array(config, "history");
	snprintf(id, sizeof(id), whole ? "sha256:%s" : "%.12s", image->id.hex);
	json_array_foreach(history, i, entry) {
		bool empty = json_is_true(json_object_get(entry, "empty_layer"));
		uint64_t size = empty ? 0 : layer_size(store, image, layer++);
		bool last = i + 1 == json_array_size(history);
		json_array_insert_new(rows, 0, row(entry, last ? id : "<missing>", size, whole));
	}
	return 0;
}

static int run(struct store *store, void *given, char **operands)
{
	const struct history_words *words = given;
	struct image_list list;
	struct digest id;
	scoped_json *rows = json_array();
	int found = names_find(store, operands[0], &id, NULL);
	if (found <= 0)
		return found < 0 ? -1 : failx("there is no image '%s' in %s", operands[0], store->path);
	if (images_list(store, &list) < 0)
		return -1;
	int result = 0;
	for (int i = 0; i < list.count && result == 0; i++)
		if (digest_equal(&list.at[i].id, &id))
			result = add_rows(rows, store, &list.at[i], words->whole);
	images_free(&list);
	const char *format = words->format ? words->format
			     : words->quiet
				     ? "{{.ID}}"
				     : "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";
	return result < 0 ? -1 : list_print(format, rows, TITLES, true);
}

const struct command history_command = {
	.name = "history",
	.operands = "IMAGE",
	.summary = "Show how an image was made",
	.options = options,
	.least = 1,
	.most = 1,
	.words = sizeof(struct history_words),
	.in_store = run,
};

/* wherry inspect: all that the store knows of images, as JSON. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "launcher/command/commands.h"
#include "launcher/command/documents.h"
#include "launcher/format/list.h"
#include "launcher/format/template.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/names.h"

struct inspect_words {
	const char *format, *type;
};

static const struct option options[] = {
	{ "format", 'f', "TEMPLATE", "json, or a Go template: '{{.Config.Cmd}}'", offsetof(struct inspect_words, format),
	  option_string },
	{ "type", 0, "image", "look for images alone: always done", offsetof(struct inspect_words, type), option_string },
	{ 0 },
};

static const struct foreign foreign[] = {
	{ "size", 's', false, "*", NULL, NULL },
	{ 0 },
};

/* NULL with a failure. */
static json_t *find(struct store *store, const struct image_list *list, const char *text)
{
	struct digest id;
	int found = names_find(store, text, &id, NULL);
	if (found == 0)
		failx("there is no image '%s' in %s", text, store->path);
	for (int i = 0; found > 0 && i < list->count; i++)
		if (digest_equal(&list->at[i].id, &id))
			return document_inspect(store, &list->at[i]);
	if (found > 0)
		failx("image %.12s is gone", id.hex);
	return NULL;
}

static int print(const json_t *found, const char *format)
{
	scoped_ptr char *template = format ? format_unescape(format) : NULL;
	size_t i;
	json_t *document;
	if (!format || !strcmp(format, "json"))
		return json_print(found);
	json_array_foreach(found, i, document) {
		if (template_write(stdout, template ? template : "", document) < 0)
			return -1;
		putchar('\n');
	}
	return 0;
}

/* Those that are there are shown all the same, as docker-inspect(1) does; each other has its line. */
static int run(struct store *store, void *given, char **operands)
{
	const struct inspect_words *words = given;
	struct image_list list;
	scoped_json *found = json_array();
	int status = 0;
	if (words->type && strcmp(words->type, "image") != 0)
		return failx("there is no %s '%s'", words->type, operands[0]);
	if ((words->format && template_check(words->format) < 0) || images_list(store, &list) < 0)
		return -1;
	for (; *operands; operands++) {
		json_t *document = find(store, &list, *operands);
		if (document) {
			json_array_append_new(found, document);
			continue;
		}
		status = failure_print();
		failure_clear();
	}
	images_free(&list);
	return print(found, words->format) < 0 ? -1 : status;
}

const struct command inspect_command = {
	.name = "inspect",
	.operands = "IMAGE…",
	.summary = "Print all that the store knows of images, as JSON",
	.options = options,
	.least = 1,
	.most = -1,
	.words = sizeof(struct inspect_words),
	.in_store = run,
	.foreign = foreign,
};

/* podman-image-exists(1): 1 where it isn't. */
static int exists(struct store *store, void *words, char **operands)
{
	struct digest id;
	(void)words;
	int found = names_find(store, operands[0], &id, NULL);
	return found < 0 ? -1 : !found;
}

static const struct option none[] = { { 0 } };

const struct command image_exists_command = {
	.name = "image exists",
	.operands = "IMAGE",
	.summary = "Exit with 0 where the store has an image, with 1 where it doesn't",
	.options = none,
	.least = 1,
	.most = 1,
	.in_store = exists,
};

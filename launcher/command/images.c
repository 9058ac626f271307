/* wherry images: what the store holds. */
#include "rootfs/store/images.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "launcher/command/commands.h"
#include "launcher/command/documents.h"
#include "launcher/format/list.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/names.h"

struct images_words {
	bool all, digests, json, headless, quiet, whole;
	struct strings filters;
	const char *format;
};

#define ROW(name, letter, argument, help, field, set) \
	{ name, letter, argument, help, offsetof(struct images_words, field), set }

static const struct option options[] = {
	ROW("all", 'a', NULL, "show all: always done", all, option_flag),
	ROW("digests", 0, NULL, "show the manifests' digests", digests, option_flag),
	ROW("filter", 'f', "WHAT=VALUE", "reference=PATTERN, id=, label=KEY[=VALUE], dangling=true|false", filters,
	    option_strings),
	ROW("format", 0, "TEMPLATE", "json, or a Go template: '{{.Repository}}:{{.Tag}} {{.ID}}'", format, option_string),
	ROW("json", 0, NULL, "the same as --format json", json, option_flag),
	ROW("noheading", 'n', NULL, "print no headings", headless, option_flag),
	ROW("no-trunc", 0, NULL, "print IDs in full", whole, option_flag),
	ROW("quiet", 'q', NULL, "print the IDs alone", quiet, option_flag),
	{ 0 },
};

/* "*" is any run of characters that has no slash, "?" one of them: Go's path.Match without its sets. */
static bool matches(const char *pattern, const char *text)
{
	for (; *pattern && *pattern != '*'; pattern++, text++)
		if (!*text || (*pattern == '?' ? *text == '/' : *pattern != *text))
			return false;
	if (!*pattern)
		return !*text;
	for (;; text++) {
		if (matches(pattern + 1, text))
			return true;
		if (!*text || *text == '/')
			return false;
	}
}

/* PATTERN is docker's: a repository, or one with its tag; a name that ends with /PATTERN fits, too. */
static bool name_fits(const char *name, const char *pattern)
{
	char full[NAMES_BYTES + 1];
	const char *colon = strrchr(name, ':'), *slash = strrchr(pattern, '/');
	size_t length = colon ? (size_t)(colon - name) : strlen(name);
	bool tagged = strchr(slash ? slash : pattern, ':') != NULL;
	scoped_ptr char *shown = strndup(name, tagged ? strlen(name) : length);
	if (names_complete(pattern, full)) {
		full[strlen(full) - (tagged ? 0 : strlen(":latest"))] = '\0';
		pattern = full;
	}
	for (const char *end = shown; end; end = strchr(end, '/')) {
		end += *end == '/';
		if (matches(pattern, end))
			return true;
	}
	return false;
}

static bool has_id(const struct listed_image *image, const char *text)
{
	text += !strncmp(text, "sha256:", 7) ? 7 : 0;
	return strlen(text) >= 4 && !strncmp(image->id.hex, text, strlen(text));
}

/* WANTED: "KEY" or "KEY=VALUE". */
static bool has_label(const struct store *store, const struct listed_image *image, const char *wanted)
{
	size_t key = strcspn(wanted, "=");
	scoped_ptr char *name = strndup(wanted, key);
	scoped_json *config = images_config(store, &image->id);
	if (!config)
		failure_clear();
	const char *value = name ? json_text(json_object_get(json_object_get(config, "config"), "Labels"), name) : NULL;
	return value && (!wanted[key] || !strcmp(value, wanted + key + 1));
}

/* Whether IMAGE, by NAME (NULL: it has none), fits the filter. Returns -1 with a failure. */
static int fits(const struct store *store, const struct listed_image *image, const char *name, const char *filter)
{
	static const char *const kinds[] = { "reference=", "id=", "label=", "dangling=" };
	bool dangling;
	size_t i = 0;
	while (i < 4 && strncmp(filter, kinds[i], strlen(kinds[i])) != 0)
		i++;
	const char *value = i < 4 ? filter + strlen(kinds[i]) : "";
	switch (i) {
	case 0:
		return name && name_fits(name, value);
	case 1:
		return has_id(image, value);
	case 2:
		return has_label(store, image, value);
	case 3:
		if (bool_parse(value, &dangling) < 0)
			return failx("--filter dangling= takes true or false, not '%s'", value);
		return dangling == !name;
	default:
		failx("--filter %s is not to be had", filter);
		return hint("there are reference=, id=, label= and dangling=");
	}
}

static int fits_all(const struct store *store, const struct images_words *words, const char *asked,
		    const struct listed_image *image, const char *name)
{
	if (asked && !(name && name_fits(name, asked)) && !has_id(image, asked))
		return 0;
	for (size_t i = 0; i < words->filters.count; i++) {
		int fit = fits(store, image, name, words->filters.at[i]);
		if (fit <= 0)
			return fit;
	}
	return 1;
}

static int add(json_t *rows, const struct store *store, const struct images_words *words, const char *asked,
	       const struct listed_image *image)
{
	bool as_json = words->format && !strcmp(words->format, "json");
	for (int i = 0; i < image->name_count || i == 0; i++) {
		const char *name = image->name_count ? image->names[i] : NULL;
		int fit = fits_all(store, words, asked, image, name);
		if (fit < 0)
			return -1;
		if (!fit)
			continue;
		json_array_append_new(rows, as_json ? document_listed(store, image)
						    : document_row(image, name, words->whole));
		if (as_json || words->quiet)
			break;
	}
	return 0;
}

static const char *format_of(const struct images_words *words)
{
	return words->format ? words->format
	       : words->quiet ? "{{.ID}}"
	       : words->digests
		       ? "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
		       : "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}";
}

static int run(struct store *store, void *given, char **operands)
{
	struct images_words *words = given;
	struct image_list list;
	scoped_json *rows = json_array();
	int status = 0;
	if (words->json)
		words->format = "json";
	if (images_list(store, &list) < 0)
		return -1;
	for (int i = 0; i < list.count && status == 0; i++)
		status = add(rows, store, words, operands[0], &list.at[i]);
	images_free(&list);
	return status < 0 ? -1 : list_print(format_of(words), rows, DOCUMENT_TITLES, !words->headless);
}

const struct command images_command = {
	.name = "images",
	.operands = "[NAME]",
	.summary = "List the images of the store",
	.options = options,
	.most = 1,
	.words = sizeof(struct images_words),
	.in_store = run,
};

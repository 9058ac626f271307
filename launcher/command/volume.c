/* wherry volume: the named volumes of the store. */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "launcher/command/commands.h"
#include "launcher/command/documents.h"
#include "launcher/format/list.h"
#include "launcher/mount/volumes.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"

struct volume_words {
	bool quiet, force, headless;
	const char *format;
	struct strings filters;
};

#define ROW(name, letter, argument, help, field, set) \
	{ name, letter, argument, help, offsetof(struct volume_words, field), set }

static const struct option no_options[] = { { 0 } };

static const struct option list_options[] = {
	ROW("filter", 'f', "WHAT=VALUE", "name=PART, dangling=true|false: in no use", filters, option_strings),
	ROW("format", 0, "TEMPLATE", "json, or a Go template: '{{.Name}} {{.Size}}'", format, option_string),
	ROW("noheading", 'n', NULL, "print no headings", headless, option_flag),
	ROW("quiet", 'q', NULL, "print the names alone", quiet, option_flag),
	{ 0 },
};

static const struct option inspect_options[] = {
	ROW("format", 'f', "TEMPLATE", "json, or a Go template: '{{.Mountpoint}}'", format, option_string),
	{ 0 },
};

static const struct option remove_options[] = {
	ROW("force", 'f', NULL, "one that is not there is no failure", force, option_flag),
	{ 0 },
};

static const struct option prune_options[] = {
	ROW("force", 'f', NULL, "ask nothing: never done", force, option_flag),
	{ 0 },
};

/* docker's names; what only wherry knows at the end. */
static json_t *document(const char *root, const struct volume *volume)
{
	char size[32];
	return json_pack("{s:s, s:s, s:o, s:{}, s:s, s:s, s:{}, s:s, s:I, s:s}", "Name", volume->name, "Driver", "local",
			 "Mountpoint", json_sprintf("%s/volumes/%s", root, volume->name), "Labels", "Scope", "local",
			 "CreatedAt", "", "Options", "Size", document_size(volume->bytes, size), "Files",
			 (json_int_t)volume->files, "InUse", volume->used ? "yes" : "no");
}

#define TITLES "Name=VOLUME NAME,Driver=DRIVER,Mountpoint=MOUNTPOINT,Labels=LABELS,Scope=SCOPE,CreatedAt=CREATED," \
	"Options=OPTIONS,Size=SIZE,Files=FILES,InUse=IN USE"

/* Returns -1 with a failure. */
static int fits(const struct volume *volume, const struct strings *filters)
{
	bool dangling;
	for (size_t i = 0; i < filters->count; i++) {
		const char *filter = filters->at[i];
		if (!strncmp(filter, "name=", 5)) {
			if (!strstr(volume->name, filter + 5))
				return 0;
		} else if (!strncmp(filter, "dangling=", 9) && bool_parse(filter + 9, &dangling) == 0) {
			if (dangling == volume->used)
				return 0;
		} else {
			failx("--filter %s is not to be had", filter);
			return hint("there are name= and dangling=true|false");
		}
	}
	return 1;
}

static int list(const char *root, const struct volume_words *words)
{
	struct volume_list volumes;
	scoped_json *rows = json_array();
	if (volumes_list(root, &volumes) < 0)
		return -1;
	int fit = 0;
	for (size_t i = 0; fit >= 0 && i < volumes.count; i++) {
		fit = fits(&volumes.at[i], &words->filters);
		if (fit > 0)
			json_array_append_new(rows, document(root, &volumes.at[i]));
	}
	volumes_free(&volumes);
	const char *format = words->format ? words->format
			     : words->quiet
				     ? "{{.Name}}"
				     : "table {{.Driver}}\t{{.Name}}\t{{.Files}}\t{{.Size}}\t{{.InUse}}";
	return fit < 0 ? -1 : list_print(format, rows, TITLES, !words->headless);
}

/* NULL: there is none of that name. */
static const struct volume *find(const struct volume_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->at[i].name, name))
			return &list->at[i];
	return NULL;
}

/* As docker-volume-inspect(1): those that are there, and a line for each other. */
static int run_inspect(const struct globals *globals, void *given, char **operands)
{
	const struct volume_words *words = given;
	struct volume_list volumes;
	scoped_json *found = json_array();
	int status = 0;
	if (volumes_list(globals->root, &volumes) < 0)
		return -1;
	for (; *operands; operands++) {
		const struct volume *volume = find(&volumes, *operands);
		if (volume) {
			json_array_append_new(found, document(globals->root, volume));
			continue;
		}
		failx("there is no volume '%s'", *operands);
		status = failure_print();
		failure_clear();
	}
	volumes_free(&volumes);
	return list_print(words->format ? words->format : "json", found, TITLES, false) < 0 ? -1 : status;
}

/* podman-volume-exists(1): 1 where it isn't. */
static int run_exists(const struct globals *globals, void *words, char **operands)
{
	struct volume_list volumes;
	(void)words;
	if (volumes_list(globals->root, &volumes) < 0)
		return -1;
	bool there = find(&volumes, operands[0]) != NULL;
	volumes_free(&volumes);
	return !there;
}

/* A volume without a name is a container's own and goes with it: those that are left all have names, as with podman. */
static int run_prune(const struct globals *globals, void *words, char **operands)
{
	struct volume_list volumes;
	int status = 0;
	(void)words, (void)operands;
	if (volumes_list(globals->root, &volumes) < 0)
		return -1;
	for (size_t i = 0; status == 0 && i < volumes.count; i++) {
		if (volumes.at[i].used)
			continue;
		status = volumes_remove(globals->root, volumes.at[i].name);
		if (status == 0)
			puts(volumes.at[i].name);
	}
	volumes_free(&volumes);
	return status;
}

/* Each that is done is named, each that can't be has its line, as with docker-volume(1). */
static int for_each(const char *root, char **names, int (*act)(const char *root, const char *name))
{
	int status = 0;
	for (; *names; names++) {
		if (act(root, *names) == 0) {
			puts(*names);
			continue;
		}
		status = failure_print();
		failure_clear();
	}
	return status;
}

static int run_list(const struct globals *globals, void *words, char **operands)
{
	(void)operands;
	return list(globals->root, words);
}

static int run_create(const struct globals *globals, void *words, char **operands)
{
	(void)words;
	return for_each(globals->root, operands, volumes_create);
}

static int run_remove(const struct globals *globals, void *given, char **operands)
{
	const struct volume_words *words = given;
	struct volume_list volumes = { 0 };
	char **kept = operands;
	if (words->force && volumes_list(globals->root, &volumes) < 0)
		return -1;
	for (char **name = operands; words->force && *name; name++)
		if (find(&volumes, *name))
			*kept++ = *name;
	if (words->force)
		*kept = NULL;
	volumes_free(&volumes);
	return for_each(globals->root, operands, volumes_remove);
}

const struct command volume_ls_command = {
	.name = "volume ls",
	.operands = "",
	.summary = "List the named volumes",
	.options = list_options,
	.words = sizeof(struct volume_words),
	.run = run_list,
};

const struct command volume_create_command = {
	.name = "volume create",
	.operands = "NAME…",
	.summary = "Make named volumes",
	.options = no_options,
	.least = 1,
	.most = -1,
	.run = run_create,
};

const struct command volume_rm_command = {
	.name = "volume rm",
	.operands = "NAME…",
	.summary = "Remove named volumes that are in no use",
	.options = remove_options,
	.least = 1,
	.most = -1,
	.words = sizeof(struct volume_words),
	.run = run_remove,
};

const struct command volume_inspect_command = {
	.name = "volume inspect",
	.operands = "NAME…",
	.summary = "Print what is known of named volumes, as JSON",
	.options = inspect_options,
	.least = 1,
	.most = -1,
	.words = sizeof(struct volume_words),
	.run = run_inspect,
};

const struct command volume_exists_command = {
	.name = "volume exists",
	.operands = "NAME",
	.summary = "Exit with 0 where there is a volume, with 1 where there isn't",
	.options = no_options,
	.least = 1,
	.most = 1,
	.run = run_exists,
};

const struct command volume_prune_command = {
	.name = "volume prune",
	.operands = "",
	.summary = "Remove all named volumes that are in no use",
	.options = prune_options,
	.words = sizeof(struct volume_words),
	.run = run_prune,
};

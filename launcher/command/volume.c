/* wherry volume: the named volumes of the store. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "launcher/command/commands.h"
#include "launcher/mount/volumes.h"
#include "rootfs/base/err.h"

struct volume_words {
	bool quiet;
};

static const struct option no_options[] = { { 0 } };

static const struct option list_options[] = {
	{ "quiet", 'q', NULL, "print the names alone", offsetof(struct volume_words, quiet),
	  option_flag },
	{ 0 },
};

static void print_table(const struct volume_list *list)
{
	int width = 4;
	for (size_t i = 0; i < list->count; i++)
		if ((int)strlen(list->at[i].name) > width)
			width = (int)strlen(list->at[i].name);
	printf("%-*s  %8s  %12s  %s\n", width, "NAME", "FILES", "SIZE", "IN USE");
	for (size_t i = 0; i < list->count; i++)
		printf("%-*s  %8llu  %9llu kB  %s\n", width, list->at[i].name,
		       (unsigned long long)list->at[i].files,
		       ((unsigned long long)list->at[i].bytes + 999) / 1000, list->at[i].used ? "yes" : "no");
}

static int list(const char *root, const struct volume_words *words)
{
	struct volume_list volumes;
	int result = volumes_list(root, &volumes);
	if (result == 0 && !words->quiet)
		print_table(&volumes);
	for (size_t i = 0; result == 0 && words->quiet && i < volumes.count; i++)
		puts(volumes.at[i].name);
	volumes_free(&volumes);
	return result;
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

static int run_remove(const struct globals *globals, void *words, char **operands)
{
	(void)words;
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
	.options = no_options,
	.least = 1,
	.most = -1,
	.run = run_remove,
};

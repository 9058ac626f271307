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

static const struct option options[] = {
	{ "quiet", 'q', NULL, "ls: print the names alone", offsetof(struct volume_words, quiet),
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

static int run(const struct globals *globals, int argc, char **argv)
{
	struct volume_words words = { 0 };
	char **operands;
	/* Options stand behind the verb. */
	const char *verb = argc > 1 && argv[1][0] != '-' ? argv[1] : "";
	int shift = *verb ? 1 : 0;
	int parsed = options_parse(&volume_command, &words, argc - shift, argv + shift, &operands);
	if (parsed)
		return parsed == OPTIONS_HELPED ? 0 : -1;
	if (!strcmp(verb, "ls") && !*operands)
		return list(globals->root, &words);
	if (!strcmp(verb, "create") && *operands)
		return for_each(globals->root, operands, volumes_create);
	if (!strcmp(verb, "rm") && *operands)
		return for_each(globals->root, operands, volumes_remove);
	failx("volume: '%s' is not ls, nor create or rm with names behind", verb);
	return hint("usage: wherry volume %s", volume_command.operands);
}

const struct command volume_command = {
	.name = "volume",
	.operands = "ls|create|rm [NAME…]",
	.summary = "List, make or remove named volumes",
	.options = options,
	.most = -1,
	.run = run,
};

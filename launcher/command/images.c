/* wherry images: what the store holds. */
#include "rootfs/store/images.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "launcher/command/commands.h"
#include "rootfs/base/err.h"

struct images_words {
	bool json, quiet;
};

static const struct option options[] = {
	{ "json", 0, NULL, "print a JSON array", offsetof(struct images_words, json), option_flag },
	{ "quiet", 'q', NULL, "print the IDs alone", offsetof(struct images_words, quiet),
	  option_flag },
	{ 0 },
};

static void format_size(uint64_t bytes, char *text, size_t size)
{
	static const char units[] = "kMGT";
	uint64_t unit = 1000;
	int i = 0;
	for (; bytes >= unit * 1000 && i < 3; i++)
		unit *= 1000;
	snprintf(text, size, "%llu.%llu %cB", (unsigned long long)(bytes / unit),
		 (unsigned long long)(bytes % unit * 10 / unit), units[i]);
}

/* "2024-05-01T12:30:00.5Z" → "2024-05-01 12:30" */
static void format_time(const char *created, char *text, size_t size)
{
	snprintf(text, size, "%.16s", *created ? created : "-");
	if (text[10 < strlen(text) ? 10 : 0] == 'T')
		text[10] = ' ';
}

static void print_row(const struct listed_image *image, const char *name, int width)
{
	char disk[32], shared[32], created[32];
	format_size(image->disk, disk, sizeof(disk));
	if (!image->key_count) /* a layer is missing: wherry fsck says which */
		strcpy(disk, "incomplete");
	format_size(image->shared, shared, sizeof(shared));
	format_time(image->created, created, sizeof(created));
	printf("%-*s  %.12s  %-16s  %10s  %10s\n", width, name, image->id.hex, created, disk,
	       shared);
}

static void print_table(const struct image_list *list)
{
	int width = 4;
	for (int i = 0; i < list->count; i++)
		for (int j = 0; j < list->at[i].name_count; j++)
			if ((int)strlen(list->at[i].names[j]) > width)
				width = strlen(list->at[i].names[j]);
	printf("%-*s  %-12s  %-16s  %10s  %10s\n", width, "NAME", "ID", "CREATED", "SIZE",
	       "SHARED");
	for (int i = 0; i < list->count; i++) {
		const struct listed_image *image = &list->at[i];
		if (!image->name_count)
			print_row(image, "-", width);
		for (int j = 0; j < image->name_count; j++)
			print_row(image, image->names[j], width);
	}
}

static void print_ids(const struct image_list *list)
{
	for (int i = 0; i < list->count; i++)
		printf("sha256:%s\n", list->at[i].id.hex);
}

static json_t *to_json(const struct listed_image *image)
{
	json_t *names = json_array();
	for (int i = 0; i < image->name_count; i++)
		json_array_append_new(names, json_string(image->names[i]));
	return json_pack("{s:s+, s:o, s:s, s:s, s:I, s:I}", "id", "sha256:", image->id.hex, "names",
			 names, "created", image->created, "platform", image->platform, "size",
			 (json_int_t)image->disk, "shared", (json_int_t)image->shared);
}

static int print_json(const struct image_list *list)
{
	json_t *array = json_array();
	int result = array ? 0 : -1;
	for (int i = 0; i < list->count && result == 0; i++)
		result = json_array_append_new(array, to_json(&list->at[i]));
	if (result == 0)
		result = json_dumpf(array, stdout, JSON_INDENT(2));
	json_decref(array);
	printf("\n");
	return result < 0 ? failx("print the list as JSON") : 0;
}

static int run(struct store *store, void *given, char **operands)
{
	const struct images_words *words = given;
	struct image_list list;
	int status = 0;
	(void)operands;
	if (images_list(store, &list) < 0)
		return -1;
	if (words->json)
		status = print_json(&list);
	else if (words->quiet)
		print_ids(&list);
	else
		print_table(&list);
	images_free(&list);
	return status;
}

const struct command images_command = {
	.name = "images",
	.operands = "",
	.summary = "List the images of the store",
	.options = options,
	.least = 0,
	.most = 0,
	.words = sizeof(struct images_words),
	.in_store = run,
};

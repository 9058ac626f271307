/* wherry load: an image from a file into the store. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "launcher/command/commands.h"
#include "rootfs/base/err.h"
#include "rootfs/load/loader.h"

struct load_words {
	const char *name, *platform, *ref, *input;
	int64_t window;
	bool quiet;
};

static const struct option options[] = {
	{ "input", 'i', "FILE", "the same as FILE as a word", offsetof(struct load_words, input), option_string },
	{ "name", 'n', "NAME", "call it NAME, whatever its own names are",
	  offsetof(struct load_words, name), option_string },
	{ "platform", 0, "OS/ARCH", "take the image for this platform, not for this machine's",
	  offsetof(struct load_words, platform), option_string },
	{ "ref", 0, "NAME", "take the image of that name or tag alone, as FILE:NAME does",
	  offsetof(struct load_words, ref), option_string },
	{ "window", 0, "SIZE", "memory that zstd or xz may ask for to remember what was (8M)",
	  offsetof(struct load_words, window), option_size },
	{ "quiet", 'q', NULL, "print the image's ID alone", offsetof(struct load_words, quiet),
	  option_flag },
	{ 0 },
};

static void tell(void *context, const struct plan_image *image)
{
	const struct load_words *words = context;
	if (words->quiet) {
		printf("sha256:%s\n", image->id.hex);
		return;
	}
	if (words->name)
		printf("Loaded image: %s\n", words->name);
	for (int i = 0; i < image->name_count && !words->name; i++)
		printf("Loaded image: %s\n", image->names[i]);
	if (!words->name && !image->name_count)
		printf("Loaded image ID: sha256:%s\n", image->id.hex);
}

static int run(struct store *store, void *given, char **operands)
{
	struct load_words *words = given;
	struct load_result result;
	const struct load_options load = { .name = words->name,
					   .platform = words->platform,
					   .ref = words->ref,
					   .window = words->window,
					   .quiet = words->quiet };
	const char *file = operands[0] ? operands[0] : words->input ? words->input : "-";
	if (operands[0] && words->input)
		return failx("load: both %s and --input %s", operands[0], words->input);
	if (loader_load(store, file, &load, &result, tell, words) < 0)
		return -1;
	if (!words->quiet && result.layers)
		printf("%d layers extracted, %llu.%llu MB written\n", result.layers,
		       (unsigned long long)result.written / 1000000,
		       (unsigned long long)result.written / 100000 % 10);
	return 0;
}

const struct command load_command = {
	.name = "load",
	.operands = "[FILE|DIR|-]",
	.summary = "Load an image: a docker save archive, an OCI layout, or standard input",
	.options = options,
	.least = 0,
	.most = 1,
	.words = sizeof(struct load_words),
	.in_store = run,
};

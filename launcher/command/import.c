/* wherry import: a root file system becomes an image. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "launcher/command/commands.h"
#include "rootfs/export/export.h"

struct import_words {
	int64_t window;
};

static const struct option options[] = {
	{ "window", 0, "SIZE", "memory that zstd or xz may ask for to remember what was (8M)",
	  offsetof(struct import_words, window), option_size },
	{ 0 },
};

static int run(const struct globals *globals, int argc, char **argv)
{
	struct store store;
	struct digest id;
	struct import_words words = { 0 };
	char **operands;
	int parsed = options_parse(&import_command, &words, argc, argv, &operands);
	if (parsed)
		return parsed == OPTIONS_HELPED ? 0 : -1;
	if (store_open(&store, globals->root, STORE_READ) < 0)
		return -1;
	int status = image_import(&store, operands[0], operands[1], (uint64_t)words.window, &id);
	store_close(&store);
	if (status == 0)
		printf("imported %.12s %s\n", id.hex, operands[1]);
	return status;
}

const struct command import_command = {
	.name = "import",
	.operands = "ROOTFS.tar|DIR|- NAME",
	.summary = "Make an image of a root file system",
	.options = options,
	.least = 2,
	.most = 2,
	.run = run,
};

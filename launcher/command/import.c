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

static int run(struct store *store, void *given, char **operands)
{
	const struct import_words *words = given;
	struct digest id;
	if (image_import(store, operands[0], operands[1], (uint64_t)words->window, &id) < 0)
		return -1;
	printf("imported %.12s %s\n", id.hex, operands[1]);
	return 0;
}

const struct command import_command = {
	.name = "import",
	.operands = "ROOTFS.tar|DIR|- NAME",
	.summary = "Make an image of a root file system",
	.options = options,
	.least = 2,
	.most = 2,
	.words = sizeof(struct import_words),
	.in_store = run,
};

/* wherry save: an image as a file for others. */
#include <stddef.h>

#include "launcher/command/commands.h"
#include "rootfs/base/err.h"
#include "rootfs/export/export.h"

struct save_words {
	const char *output;
};

static const struct option options[] = {
	{ "output", 'o', "FILE", "the file to write, an OCI layout in a tar archive",
	  offsetof(struct save_words, output), option_string },
	{ 0 },
};

static int run(const struct globals *globals, int argc, char **argv)
{
	struct store store;
	struct save_words words = { 0 };
	char **operands;
	int parsed = options_parse(&save_command, &words, argc, argv, &operands);
	if (parsed)
		return parsed == OPTIONS_HELPED ? 0 : -1;
	if (!words.output)
		return failx("save: name the file to write with -o FILE");
	if (store_open(&store, globals->root, STORE_READ) < 0)
		return -1;
	int status = image_save(&store, operands[0], words.output);
	store_close(&store);
	return status;
}

const struct command save_command = {
	.name = "save",
	.operands = "IMAGE",
	.summary = "Write an image to a file that other tools read",
	.options = options,
	.least = 1,
	.most = 1,
	.run = run,
};

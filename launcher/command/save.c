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

static int run(struct store *store, void *given, char **operands)
{
	const struct save_words *words = given;
	if (!words->output)
		return failx("save: name the file to write with -o FILE");
	return image_save(store, operands[0], words->output);
}

const struct command save_command = {
	.name = "save",
	.operands = "IMAGE",
	.summary = "Write an image to a file that other tools read",
	.options = options,
	.least = 1,
	.most = 1,
	.words = sizeof(struct save_words),
	.in_store = run,
};

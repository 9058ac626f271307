/* wherry import: a root file system becomes an image. */
#include <stdio.h>

#include "launcher/commands.h"
#include "rootfs/export.h"

static const struct option options[] = { { 0 } };

static int run(const struct globals *globals, int argc, char **argv)
{
	struct store store;
	struct digest id;
	char **operands, none;
	int parsed = options_parse(&import_command, &none, argc, argv, &operands);
	if (parsed)
		return parsed == OPTIONS_HELPED ? 0 : -1;
	if (store_open(&store, globals->root, STORE_READ) < 0)
		return -1;
	int status = image_import(&store, operands[0], operands[1], &id);
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

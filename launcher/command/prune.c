/* wherry prune: what nobody needs out of the store. */
#include <stddef.h>
#include <stdio.h>

#include "launcher/command/commands.h"
#include "rootfs/store/images.h"

static const struct option options[] = { { 0 } };

static int run(const struct globals *globals, int argc, char **argv)
{
	struct store store;
	struct removal removal;
	char **operands, none;
	int parsed = options_parse(&prune_command, &none, argc, argv, &operands);
	if (parsed)
		return parsed == OPTIONS_HELPED ? 0 : -1;
	if (store_open(&store, globals->root, STORE_READ) < 0)
		return -1;
	int status = images_prune(&store, PRUNE_NAMELESS, &removal);
	store_close(&store);
	if (status == 0 && removal.indexes)
		printf("removed %d indexes of archives that are gone or have changed\n", removal.indexes);
	if (status == 0)
		printf("removed %d images, %d layers, %llu.%llu MB\n", removal.images,
		       removal.layers, (unsigned long long)removal.disk / 1000000,
		       (unsigned long long)removal.disk / 100000 % 10);
	return status;
}

const struct command prune_command = {
	.name = "prune",
	.operands = "",
	.summary = "Remove images without a name, and what no image or archive has",
	.options = options,
	.least = 0,
	.most = 0,
	.run = run,
};

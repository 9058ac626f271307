/* wherry prune: what nobody needs out of the store. */
#include <stddef.h>
#include <stdio.h>

#include "launcher/command/commands.h"
#include "rootfs/store/images.h"

static const struct option options[] = { { 0 } };

static int run(struct store *store, void *words, char **operands)
{
	struct removal removal;
	(void)words, (void)operands;
	if (images_prune(store, PRUNE_NAMELESS, &removal) < 0)
		return -1;
	if (removal.indexes)
		printf("removed %d indexes of archives that are gone or have changed\n", removal.indexes);
	printf("removed %d images, %d layers, %llu.%llu MB\n", removal.images, removal.layers,
	       (unsigned long long)removal.disk / 1000000, (unsigned long long)removal.disk / 100000 % 10);
	return 0;
}

const struct command prune_command = {
	.name = "prune",
	.operands = "",
	.summary = "Remove images without a name, and what no image or archive has",
	.options = options,
	.least = 0,
	.most = 0,
	.in_store = run,
};

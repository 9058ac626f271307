/* wherry prune: what nobody needs out of the store. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "launcher/command/commands.h"
#include "rootfs/store/images.h"

struct prune_words {
	bool all, force;
};

static const struct option options[] = {
	{ "all", 'a', NULL, "remove named images, too, that no container uses", offsetof(struct prune_words, all),
	  option_flag },
	{ "force", 'f', NULL, "ask nothing: never done", offsetof(struct prune_words, force), option_flag },
	{ 0 },
};

static int run(struct store *store, void *given, char **operands)
{
	const struct prune_words *words = given;
	struct removal removal;
	(void)operands;
	if (images_prune(store, words->all ? PRUNE_UNUSED : PRUNE_NAMELESS, &removal) < 0)
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
	.words = sizeof(struct prune_words),
	.in_store = run,
};

/* wherry fsck: looks at the store, and puts right what can be. */
#include <stdio.h>

#include "launcher/command/commands.h"
#include "rootfs/base/err.h"
#include "rootfs/store/images.h"

static const struct option options[] = { { 0 } };

static void tell(const char *line)
{
	printf("%s\n", line);
}

static int check(struct store *store)
{
	struct removal removal;
	int broken = images_fsck(store, tell, &removal);
	if (broken < 0)
		return -1;
	if (removal.layers)
		printf("%d layers that no image has: removed, %llu.%llu MB\n", removal.layers,
		       (unsigned long long)removal.disk / 1000000,
		       (unsigned long long)removal.disk / 100000 % 10);
	if (broken)
		return failx("images in %s that must be loaded again: %d", store->path, broken);
	if (removal.stays && removal.read_only)
		return failx("what is damaged in %s stays: it is on a read-only file system", store->path);
	if (removal.stays) {
		failx("what is in use in %s is damaged", store->path);
		return hint("stop the containers that run from it, then run wherry fsck again");
	}
	printf("%s: all that is left is whole\n", store->path);
	return 0;
}

static int run(struct store *store, void *words, char **operands)
{
	(void)words, (void)operands;
	return check(store);
}

const struct command fsck_command = {
	.name = "fsck",
	.operands = "",
	.summary = "Check the store, remove what is broken or not needed, and say so",
	.options = options,
	.least = 0,
	.most = 0,
	.in_store = run,
};

/* wherry rmi: images out of the store. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "launcher/command/commands.h"
#include "rootfs/base/err.h"
#include "rootfs/base/paths.h"
#include "rootfs/store/images.h"
#include "rootfs/store/inplace.h"

static const struct option options[] = { { 0 } };

static int remove_index(struct store *store, const char *path)
{
	int removed = inplace_remove(store, path);
	if (removed == 0)
		return failx("there is no index of %s in %s", path, store->path);
	if (removed > 0)
		printf("removed the index of %s\n", path);
	return removed < 0 ? -1 : 0;
}

static int remove_one(struct store *store, const char *image)
{
	struct removal removal = { 0 };
	if (path_is_one(image))
		return remove_index(store, image);
	if (images_remove(store, image, &removal) < 0)
		return -1;
	if (removal.images)
		printf("removed %s: %d layers, %llu.%llu MB\n", image, removal.layers,
		       (unsigned long long)removal.disk / 1000000,
		       (unsigned long long)removal.disk / 100000 % 10);
	else
		printf("removed the name %s\n", image);
	return 0;
}

/*
 * One that can't be removed does not keep the others, as with docker-image-rm(1); each such has its
 * line, so they are printed here and not by main.
 */
static int remove_all(struct store *store, char **images)
{
	int status = 0;
	for (; *images; images++)
		if (remove_one(store, *images) < 0) {
			status = failure_print();
			failure_clear();
		}
	return status;
}

static int run(struct store *store, void *words, char **operands)
{
	(void)words;
	return remove_all(store, operands);
}

const struct command rmi_command = {
	.name = "rmi",
	.operands = "IMAGE…",
	.summary = "Remove images by name or ID, and the layers that no other image has",
	.options = options,
	.least = 1,
	.most = -1,
	.in_store = run,
};

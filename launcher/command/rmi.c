/* wherry rmi: images out of the store. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "launcher/command/commands.h"
#include "rootfs/base/err.h"
#include "rootfs/base/paths.h"
#include "rootfs/store/images.h"
#include "rootfs/store/inplace.h"
#include "rootfs/store/names.h"

struct rmi_words {
	bool force, ignore;
};

static const struct option options[] = {
	{ "force", 'f', NULL, "an ID takes all names of its image away", offsetof(struct rmi_words, force), option_flag },
	{ "ignore", 'i', NULL, "what is not there is no failure", offsetof(struct rmi_words, ignore), option_flag },
	{ 0 },
};

static int remove_index(struct store *store, const char *path)
{
	int removed = inplace_remove(store, path);
	if (removed == 0)
		return failx("there is no index of %s in %s", path, store->path);
	if (removed > 0)
		printf("removed the index of %s\n", path);
	return removed < 0 ? -1 : 0;
}

/* Each of NAMES, which have a space between; changes them. */
static void tell_untagged(char *names)
{
	for (char *rest, *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
		printf("Untagged: %s\n", name);
}

static int remove_one(struct store *store, const struct rmi_words *words, const char *image)
{
	struct removal removal = { 0 };
	struct digest id = { "" };
	if (path_is_one(image))
		return remove_index(store, image);
	if (words->ignore && names_find(store, image, &id, NULL) == 0)
		return 0;
	if (images_remove(store, image, words->force ? REMOVE_FORCE : REMOVE_CAREFULLY, &removal) < 0)
		return -1;
	tell_untagged(removal.untagged);
	if (removal.images)
		printf("removed %s: %d layers, %llu.%llu MB\n", image, removal.layers,
		       (unsigned long long)removal.disk / 1000000,
		       (unsigned long long)removal.disk / 100000 % 10);
	return 0;
}

/*
 * One that can't be removed does not keep the others, as with docker-image-rm(1); each such has its
 * line, so they are printed here and not by main.
 */
static int run(struct store *store, void *words, char **images)
{
	int status = 0;
	for (; *images; images++)
		if (remove_one(store, words, *images) < 0) {
			status = failure_print();
			failure_clear();
		}
	return status;
}

const struct command rmi_command = {
	.name = "rmi",
	.operands = "IMAGE…",
	.summary = "Remove images by name or ID, and the layers that no other image has",
	.options = options,
	.least = 1,
	.most = -1,
	.words = sizeof(struct rmi_words),
	.in_store = run,
};

/* wherry tag: one more name for an image. */
#include "launcher/command/commands.h"
#include "rootfs/base/err.h"
#include "rootfs/store/names.h"
#include "rootfs/base/scoped.h"

static const struct option options[] = { { 0 } };

static int set_name(struct store *store, const char *full, const struct digest *id)
{
	struct work work = { .dir = -1 };
	scoped_fd lock = store_lock(store, STORE_SHARED);
	if (lock < 0 || work_create(store, &work) < 0)
		return -1;
	int result = store_has_image(store, id)
			     ? names_set(store, &work, full, id)
			     : failx("image %.12s has just been removed", id->hex);
	work_destroy(store, &work);
	return result;
}

static int tag(struct store *store, const char *image, const char *name)
{
	char full[NAMES_BYTES + 1];
	struct digest id;
	if (!names_complete(name, full))
		return failx("'%s' is no name for an image", name);
	int found = names_find(store, image, &id, NULL);
	if (found <= 0)
		return found < 0 ? -1 : failx("there is no image '%s' in %s", image, store->path);
	struct digest now;
	int named = names_get(store, full, &now);
	if (named > 0 && digest_equal(&now, &id))
		return 0;
	failure_clear(); /* one that holds no ID is written anew */
	return store_make(store) < 0 ? -1 : set_name(store, full, &id);
}

static int run(struct store *store, void *words, char **operands)
{
	(void)words;
	return tag(store, operands[0], operands[1]);
}

const struct command tag_command = {
	.name = "tag",
	.operands = "IMAGE NAME",
	.summary = "Give an image one more name",
	.options = options,
	.least = 2,
	.most = 2,
	.in_store = run,
};

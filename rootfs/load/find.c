#include "rootfs/load/find.h"

#include <sys/stat.h>

#include "rootfs/base/err.h"
#include "rootfs/base/paths.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/names.h"

int image_find_named(const struct store *store, const char *word, struct digest *id)
{
	return path_is_one(word) ? 0 : names_find(store, word, id, NULL);
}

static int find_nothing(const struct store *store, const char *word)
{
	failx("there is no image '%s' in %s, and no file of that name", word, store->path);
	return hint("wherry images lists what is there; wherry load FILE adds one");
}

int image_find_file(struct store *store, const char *word, const struct load_options *options, struct digest *id)
{
	struct load_result result;
	struct stat stat_;
	const char *ref;
	scoped_ptr char *file = path_split(word, &ref);
	if (!file)
		return -1;
	/* FILE:NAME is a path's: what stands behind a name is its tag. */
	if (!path_is_one(word) && stat(word, &stat_) < 0)
		return find_nothing(store, word);
	if (loader_load(store, word, options, &result, NULL, NULL) < 0)
		return -1;
	*id = result.id;
	if (result.images > 1) {
		failx("%s: there are %d images in it: load it, then run one by its name", word, result.images);
		return hint("%s:NAME is one of them", word);
	}
	return 0;
}

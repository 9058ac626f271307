#include "rootfs/store/stack.h"

#include <stdlib.h>

#include "rootfs/store/about.h"
#include "rootfs/store/chain.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* A launch looks every layer up: this is all that it asks of each. */
int stack_key(const struct store *store, const struct digest *diff_id, const struct digest *chain,
	      bool bottom, struct digest *key, struct findings *found)
{
	*key = *diff_id;
	if (store_has_layer(store, diff_id)) {
		if (about_read(store, diff_id, found) < 0)
			return -1;
		/*
		 * At the bottom of another image it took nothing from anybody: that one won't do
		 * here.
		 */
		if (bottom || !found->implied)
			return 1;
	}
	if (bottom || !store_has_layer(store, chain))
		return 0;
	*key = *chain;
	return about_read(store, chain, found) < 0 ? -1 : 1;
}

int stack_lacks(const struct store *store, const char *image, const char *layer)
{
	failx("image %.12s lacks its layer %.12s in %s", image, layer, store->path);
	return hint("load it again");
}

static int find_all(const struct store *store, const struct digest *id,
		    const struct digest *diff_ids, const struct digest *chains, int count,
		    struct digest *keys, struct findings *findings)
{
	for (int i = 0; i < count; i++) {
		int found = stack_key(store, &diff_ids[i], &chains[i], i == 0, &keys[i],
				      &findings[i]);
		if (found < 0)
			return -1;
		if (found)
			continue;
		return stack_lacks(store, id->hex, diff_ids[i].hex);
	}
	return count;
}

int stack_read(const struct store *store, const struct digest *id, const json_t *config,
	       struct digest **keys, struct findings **findings)
{
	const json_t *list = json_member_array(json_member_object(config, "rootfs"), "diff_ids");
	int count = (int)json_array_size(list);
	scoped_ptr struct digest *diff_ids = calloc(count + 1, sizeof(*diff_ids));
	scoped_ptr struct digest *chains = calloc(count + 1, sizeof(*chains));
	scoped_ptr struct digest *found = calloc(count + 1, sizeof(*found));
	scoped_ptr struct findings *known = calloc(count + 1, sizeof(*known));
	if (!diff_ids || !chains || !found || !known)
		return fail("read image %.12s", id->hex);
	for (int i = 0; i < count; i++)
		if (!digest_parse(json_string_value(json_array_get(list, i)), &diff_ids[i]))
			return failx(
				"the config of image %.12s has a diff ID that is no sha256 digest",
				id->hex);
	chain_ids(diff_ids, count, chains);
	if (find_all(store, id, diff_ids, chains, count, found, known) < 0)
		return -1;
	*keys = take_ptr(&found);
	if (findings)
		*findings = take_ptr(&known);
	return count;
}

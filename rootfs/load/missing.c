#include "rootfs/load/missing.h"

#include "rootfs/store/stack.h"

const struct waiting *waiting_find(const struct waiting_list *waiting, const struct digest *key)
{
	for (int i = 0; i < waiting->count; i++)
		if (digest_equal(&waiting->at[i].key, key))
			return &waiting->at[i];
	return NULL;
}

struct waiting *waiting_fresh(struct waiting_list *waiting, const struct digest *diff_id)
{
	for (int i = 0; i < waiting->count; i++)
		if (!waiting->at[i].key.hex[0] && digest_equal(&waiting->at[i].diff_id, diff_id))
			return &waiting->at[i];
	return NULL;
}

int missing_key(const struct store *store, const struct waiting_list *waiting,
		const struct digest *diff_id, const struct digest *chain, bool bottom,
		struct digest *key)
{
	struct findings known;
	int found = stack_key(store, diff_id, chain, bottom, key, &known);
	if (found)
		return found;
	const struct waiting *at = waiting_find(waiting, chain);
	if (!at) {
		at = waiting_find(waiting, diff_id);
		if (!at || (at->found.implied && !bottom))
			return 0;
	}
	*key = at->key;
	return 1;
}

static bool listed(const struct plan_image *image, const int *missing, int count,
		   const struct digest *diff_id)
{
	for (int i = 0; i < count; i++)
		if (digest_equal(&image->layers[missing[i]].diff_id, diff_id))
			return true;
	return false;
}

int missing_find(const struct store *store, const struct waiting_list *waiting,
		 const struct plan_image *image, const struct digest *chains, int *missing)
{
	int count = 0;
	for (int i = 0; i < image->layer_count; i++) {
		struct digest key;
		const struct digest *diff_id = &image->layers[i].diff_id;
		int found = missing_key(store, waiting, diff_id, &chains[i], i == 0, &key);
		if (found < 0)
			return -1;
		if (!found && !listed(image, missing, count, diff_id))
			missing[count++] = i;
	}
	return count;
}

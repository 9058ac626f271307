#include "rootfs/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "rootfs/about.h"
#include "rootfs/err.h"
#include "rootfs/json.h"
#include "rootfs/loader.h"
#include "rootfs/names.h"
#include "rootfs/scoped.h"
#include "rootfs/stack.h"

static bool is_path(const char *image)
{
	return image[0] == '/' || !strncmp(image, "./", 2) || !strncmp(image, "../", 3);
}

static int load(struct store *store, const char *path, const struct load_options *options,
		struct digest *id)
{
	struct load_result result;
	if (loader_load(store, path, options, &result, NULL, NULL) < 0)
		return -1;
	*id = result.id;
	if (result.images > 1)
		return failx("%s: there are %d images in it: load it, then run one by its name",
			     path, result.images);
	return 0;
}

static int find(struct store *store, const char *image, const struct load_options *options,
		struct digest *id)
{
	struct stat st;
	if (is_path(image))
		return load(store, image, options, id);
	int found = names_find(store, image, id);
	if (found)
		return found < 0 ? -1 : 0;
	if (stat(image, &st) == 0)
		return load(store, image, options, id);
	failx("there is no image '%s' in %s, and no file of that name", image, store->path);
	return hint("wherry images lists what is there; wherry load FILE adds one");
}

/*
 * Between opening and locking somebody may have removed it: then it has no name any more, and a
 * lock on it keeps nothing.
 */
static int lock_config(const struct store *store, const struct digest *id, off_t *size)
{
	struct stat st;
	scoped_fd file = openat(store->images, id->hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return fail("open image %.12s", id->hex);
	if (flock(file, LOCK_SH | LOCK_NB) < 0 || fstat(file, &st) < 0 || st.st_nlink == 0)
		return failx("image %.12s is being removed", id->hex);
	*size = st.st_size;
	return take_fd(&file);
}

static int read_config(struct image *image, off_t size)
{
	if (size > JSON_BYTES)
		return failx("the config of image %.12s is larger than %d MiB", image->id,
			     JSON_BYTES >> 20);
	image->config = malloc(size + 1);
	if (!image->config)
		return fail("read image %.12s", image->id);
	if (pread(image->lock, image->config, size, 0) != size)
		return fail("read image %.12s", image->id);
	image->config[size] = '\0';
	image->config_size = size;
	return 0;
}

static bool listed(const struct image *image, const char *key)
{
	for (size_t i = 0; i < image->lower_count; i++)
		if (!strcmp(image->lowers[i], key))
			return true;
	return false;
}

/* From the top down, until one hides what is below it (IMAGES.md rules 17 and 18). */
static int list_lowers(struct image *image, const struct digest *keys,
		       const struct findings *findings, int count)
{
	image->lowers = calloc(count + 1, sizeof(*image->lowers));
	if (!image->lowers)
		return fail("list the layers of image %.12s", image->id);
	for (int i = count - 1; i >= 0; i--) {
		const struct findings *found = &findings[i];
		bool last = found->opaque_root || (i == 0 && !image->lower_count);
		if (found->has_root && !image->root)
			image->root = strdup(keys[i].hex);
		if ((found->entries || last) && !listed(image, keys[i].hex)) {
			image->lowers[image->lower_count] = strdup(keys[i].hex);
			if (!image->lowers[image->lower_count++])
				return fail("list the layers of image %.12s", image->id);
		}
		if (found->opaque_root)
			break;
	}
	return 0;
}

static int open_by_id(struct store *store, const struct digest *id, struct image *image)
{
	off_t size = 0;
	char what[64];
	scoped_ptr struct digest *keys = NULL;
	memcpy(image->id, id->hex, sizeof(image->id));
	image->lock = lock_config(store, id, &size);
	if (image->lock < 0 || read_config(image, size) < 0)
		return -1;
	snprintf(what, sizeof(what), "the config of image %.12s", id->hex);
	scoped_json *config = json_read(image->config, image->config_size, what);
	if (!config)
		return -1;
	scoped_ptr struct findings *findings = NULL;
	int count = stack_read(store, id, config, &keys, &findings);
	return count < 0 ? -1 : list_lowers(image, keys, findings, count);
}

int image_open(struct store *store, const char *name, const struct load_options *options,
	       struct image *image)
{
	struct digest id;
	*image = (struct image){ .lock = -1 };
	if (find(store, name, options, &id) == 0 && open_by_id(store, &id, image) == 0)
		return 0;
	image_close(image);
	return -1;
}

void image_close(struct image *image)
{
	free(image->config);
	for (size_t i = 0; i < image->lower_count; i++)
		free(image->lowers[i]);
	free(image->lowers);
	free(image->root);
	scoped_close(&image->lock);
	*image = (struct image){ .lock = -1 };
}

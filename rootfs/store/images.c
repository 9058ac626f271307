#include "rootfs/store/images.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rootfs/store/about.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/store/names.h"
#include "rootfs/base/platform.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/stack.h"

json_t *images_config(const struct store *store, const struct digest *id)
{
	char what[64];
	struct stat st;
	scoped_fd file = openat(store->images, id->hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	snprintf(what, sizeof(what), "the config of image %.12s", id->hex);
	if (file < 0 || fstat(file, &st) < 0) {
		fail("read %s", what);
		return NULL;
	}
	scoped_ptr char *text = st.st_size <= JSON_BYTES ? malloc(st.st_size + 1) : NULL;
	if (!text || read(file, text, st.st_size) != st.st_size) {
		fail("read %s", what);
		return NULL;
	}
	return json_read(text, st.st_size, what);
}

/* RFC 3339's characters: it is the image's author who says when, and it is for a terminal. */
static bool is_time(const char *text)
{
	return !text[strspn(text, "0123456789-+:.TtZz")];
}

/* An image that lacks a layer is listed all the same: rmi must be able to name it. */
static void describe(const struct store *store, struct listed_image *image)
{
	struct platform platform;
	scoped_json *config = images_config(store, &image->id);
	if (config) {
		const char *created = json_text(config, "created");
		snprintf(image->created, sizeof(image->created), "%s",
			 created && is_time(created) ? created : "");
		platform_from_json(&platform, config);
		platform_text(&platform, image->platform);
		image->key_count = stack_read(store, &image->id, config, &image->keys, NULL);
	}
	if (config && image->key_count > 0)
		return;
	image->key_count = 0;
	failure_clear();
}

static int add(struct image_list *list, const char *hex)
{
	struct listed_image *grown = realloc(list->at, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return fail("list the images");
	list->at = grown;
	grown[list->count] = (struct listed_image){ 0 };
	memcpy(grown[list->count++].id.hex, hex, DIGEST_HEX);
	return 0;
}

static int read_ids(const struct store *store, struct image_list *list)
{
	int result = 0, fd = openat(store->images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream)
		return fail("read %s/images", store->path);
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));)
		if (strlen(entry->d_name) == DIGEST_HEX && digest_is_hex(entry->d_name, DIGEST_HEX))
			result = add(list, entry->d_name);
	closedir(stream);
	return result;
}

static int add_text(char ***list, int *count, const char *text)
{
	char **grown = realloc(*list, (*count + 1) * sizeof(*grown));
	if (!grown)
		return fail("list the images");
	*list = grown;
	grown[*count] = strdup(text);
	return grown[*count] ? ((*count)++, 0) : fail("list the images");
}

static int add_name(void *context, const char *full, const struct digest *id)
{
	struct image_list *list = context;
	for (int i = 0; i < list->count; i++) {
		struct listed_image *image = &list->at[i];
		if (digest_equal(&image->id, id))
			return strchr(full, '@') ? add_text(&image->digests, &image->digest_count, full)
						 : add_text(&image->names, &image->name_count, full);
	}
	return 0;
}

static bool has_key(const struct listed_image *image, const struct digest *key, int until)
{
	for (int i = 0; i < until; i++)
		if (digest_equal(&image->keys[i], key))
			return true;
	return false;
}

static bool is_shared(const struct image_list *list, const struct listed_image *but,
		      const struct digest *key)
{
	for (int i = 0; i < list->count; i++)
		if (&list->at[i] != but && has_key(&list->at[i], key, list->at[i].key_count))
			return true;
	return false;
}

static void measure(const struct store *store, const struct image_list *list,
		    struct listed_image *image)
{
	for (int i = 0; i < image->key_count; i++) {
		struct findings found;
		if (has_key(image, &image->keys[i], i))
			continue;
		if (about_read(store, &image->keys[i], &found) < 0) {
			failure_clear();
			continue;
		}
		image->disk += found.disk;
		if (is_shared(list, image, &image->keys[i]))
			image->shared += found.disk;
	}
}

static int compare(const void *a, const void *b)
{
	const struct listed_image *left = a, *right = b;
	if (!left->name_count != !right->name_count)
		return left->name_count ? -1 : 1;
	int order = left->name_count ? strcmp(left->names[0], right->names[0]) : 0;
	return order ? order : strcmp(left->id.hex, right->id.hex);
}

int images_list(const struct store *store, struct image_list *list)
{
	*list = (struct image_list){ 0 };
	if (store->images < 0)
		return 0;
	if (read_ids(store, list) < 0 || names_each(store, add_name, list) < 0) {
		images_free(list);
		return -1;
	}
	for (int i = 0; i < list->count; i++)
		describe(store, &list->at[i]);
	for (int i = 0; i < list->count; i++)
		measure(store, list, &list->at[i]);
	if (list->count)
		qsort(list->at, list->count, sizeof(*list->at), compare);
	return 0;
}

void images_free(struct image_list *list)
{
	for (int i = 0; i < list->count; i++) {
		for (int j = 0; j < list->at[i].name_count; j++)
			free(list->at[i].names[j]);
		for (int j = 0; j < list->at[i].digest_count; j++)
			free(list->at[i].digests[j]);
		free(list->at[i].names);
		free(list->at[i].digests);
		free(list->at[i].keys);
	}
	free(list->at);
	*list = (struct image_list){ 0 };
}

/*
 * Removal in the reverse of a load's order: names, then configs, then layers. What a power cut
 * leaves in between is a layer that nobody needs, never an image that lacks one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "rootfs/store/about.h"
#include "rootfs/base/err.h"
#include "rootfs/store/images.h"
#include "rootfs/store/inplace.h"
#include "rootfs/store/names.h"
#include "rootfs/store/ready.h"
#include "rootfs/layer/remove.h"
#include "rootfs/base/scoped.h"

static int open_config(const struct store *store, const struct digest *id)
{
	int file = openat(store->images, id->hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return file < 0 ? fail("open image %.12s", id->hex) : file;
}

/*
 * Returns false where a run has it. Others have it for less than a millisecond: who asks the same, or reads
 * its config.
 */
static bool lock_alone(int file)
{
	static const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	for (int tries = 0; tries < 20; tries++, nanosleep(&pause, NULL))
		if (flock(file, LOCK_EX | LOCK_NB) == 0)
			return true;
	return false;
}

bool image_in_use(const struct store *store, const struct digest *id)
{
	scoped_fd file = openat(store->images, id->hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return file >= 0 && !lock_alone(file);
}

static int remove_name(const struct store *store, const char *name, struct removal *removal)
{
	size_t used = strlen(removal->untagged), room = sizeof(removal->untagged) - used;
	if (names_remove(store, name) < 0)
		return -1;
	removal->names++;
	if (strlen(name) + 2 <= room)
		sprintf(removal->untagged + used, "%s%s", used ? " " : "", name);
	return 0;
}

static int remove_names(const struct store *store, const struct listed_image *image,
			struct removal *removal)
{
	for (int i = 0; i < image->name_count; i++)
		if (remove_name(store, image->names[i], removal) < 0)
			return -1;
	for (int i = 0; i < image->digest_count; i++)
		if (names_remove(store, image->digests[i]) < 0)
			return -1;
	return 0;
}

/*
 * Names first: none may lead nowhere. The lock stays with the file until it is closed, by which time they
 * are gone: a run that has found one waits, and sees it.
 */
static int remove_config(const struct store *store, const struct listed_image *image, const char *called,
			 struct removal *removal)
{
	const struct digest *id = &image->id;
	scoped_fd file = open_config(store, id);
	if (file < 0)
		return -1;
	if (!lock_alone(file)) {
		failx("image %s is in use by a container that runs", called);
		return hint("stop the container first");
	}
	if (remove_names(store, image, removal) < 0)
		return -1;
	if (unlinkat(store->images, id->hex, 0) < 0 || fsync(store->images) < 0) {
		store_hint();
		return fail("remove image %.12s from %s", id->hex, store->path);
	}
	removal->images++;
	return 0;
}

static bool is_needed(const struct image_list *list, const char *hex)
{
	for (int i = 0; i < list->count; i++)
		for (int j = 0; j < list->at[i].key_count; j++)
			if (!memcmp(list->at[i].keys[j].hex, hex, DIGEST_HEX))
				return true;
	return false;
}

/* Out of sight first, in one step; the rest can't leave half a layer behind. */
static int remove_layer(struct store *store, struct work *work, const struct digest *key, struct removal *removal)
{
	if (work->dir < 0 && (store_make(store) < 0 || work_create(store, work) < 0))
		return -1;
	struct findings found = { 0 };
	struct about_name about = about_name(key);
	if (about_read(store, key, &found) < 0)
		failure_clear();
	if (renameat(store->layers, key->hex, work->dir, key->hex) == 0) {
		removal->layers++;
		removal->disk += found.disk;
		if (tree_remove(work->dir, key->hex) < 0)
			return fail("remove layer %.12s", key->hex);
	} else if (errno != ENOENT) {
		return fail("remove layer %.12s", key->hex);
	}
	if (unlinkat(store->layers, about.text, 0) < 0 && errno != ENOENT)
		return fail("remove layer %.12s", key->hex);
	return 0;
}

/*
 * Which layers an image needs that lacks one isn't known: all stay until that image is loaded
 * again or removed.
 */
static bool all_known(const struct image_list *list)
{
	for (int i = 0; i < list->count; i++)
		if (!list->at[i].key_count)
			return false;
	return true;
}

static int remove_unneeded(struct store *store, struct work *work, struct removal *removal)
{
	struct image_list list;
	if (images_list(store, &list) < 0)
		return -1;
	if (!all_known(&list)) {
		images_free(&list);
		return 0;
	}
	int result = 0, fd = openat(store->layers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream)
		result = fail("read %s/layers", store->path);
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));) {
		struct digest key = { "" };
		if (!digest_is_hex(entry->d_name, DIGEST_HEX) || is_needed(&list, entry->d_name))
			continue;
		memcpy(key.hex, entry->d_name, DIGEST_HEX);
		result = remove_layer(store, work, &key, removal);
	}
	if (stream)
		closedir(stream);
	images_free(&list);
	return result;
}

int images_sweep(struct store *store, struct removal *removal)
{
	struct work work = { .dir = -1 };
	ready_sweep(store);
	work_sweep(store);
	int result = remove_unneeded(store, &work, removal);
	work_destroy(store, &work);
	return result;
}

static const struct listed_image *find(const struct image_list *list, const struct digest *id)
{
	for (int i = 0; i < list->count; i++)
		if (digest_equal(&list->at[i].id, id))
			return &list->at[i];
	return NULL;
}

/* Of an image with several names, one alone is taken away, if that is what was given: NAME, "" for an ID. */
static int remove_one(struct store *store, const struct image_list *list, const char *text,
		      const char *name, const struct digest *id, enum remove_how how,
		      struct removal *removal)
{
	const struct listed_image *image = find(list, id);
	if (!image)
		return failx("there is no image '%s' in %s", text, store->path);
	if (*name && image->name_count > (strchr(name, '@') ? 0 : 1))
		return remove_name(store, name, removal);
	if (image->name_count > 1 && how != REMOVE_FORCE) {
		failx("image %s has %d names", text, image->name_count);
		return hint("wherry rmi NAME takes one away, wherry rmi -f the image with all of them");
	}
	return remove_config(store, image, text, removal) < 0 ? -1 : images_sweep(store, removal);
}

int images_remove(struct store *store, const char *text, enum remove_how how, struct removal *removal)
{
	struct digest id;
	struct image_list list;
	char name[NAMES_BYTES + 1];
	/* What it means is looked up under the lock: a load may be about to give the name to another image. */
	scoped_fd lock = store->layers < 0 ? -1 : store_lock(store, STORE_EXCLUSIVE);
	if (store->layers >= 0 && lock < 0)
		return -1;
	int found = names_find(store, text, &id, name);
	if (found < 0)
		return -1;
	if (!found) {
		failx("there is no image '%s' in %s", text, store->path);
		return hint("wherry images lists what is there");
	}
	if (images_list(store, &list) < 0)
		return -1;
	int result = remove_one(store, &list, text, name, &id, how, removal);
	images_free(&list);
	return result;
}

static int remove_unused(struct store *store, enum prune_what what, struct removal *removal)
{
	struct image_list list;
	int result = 0;
	if (images_list(store, &list) < 0)
		return -1;
	for (int i = 0; i < list.count && result == 0; i++) {
		if ((list.at[i].name_count && what == PRUNE_NAMELESS) || image_in_use(store, &list.at[i].id))
			continue;
		result = remove_config(store, &list.at[i], list.at[i].id.hex, removal);
	}
	images_free(&list);
	return result;
}

int images_prune(struct store *store, enum prune_what what, struct removal *removal)
{
	*removal = (struct removal){ 0 };
	if (store->layers < 0)
		return 0;
	scoped_fd lock = store_lock(store, STORE_EXCLUSIVE);
	if (lock < 0 || (what != PRUNE_LEFTOVERS && remove_unused(store, what, removal) < 0))
		return -1;
	removal->indexes = inplace_sweep(store, INPLACE_STALE, NULL);
	if (removal->indexes < 0)
		return -1;
	return images_sweep(store, removal);
}

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/store/about.h"
#include "rootfs/layer/census.h"
#include "rootfs/base/err.h"
#include "rootfs/store/images.h"
#include "rootfs/store/inplace.h"
#include "rootfs/store/names.h"
#include "rootfs/store/ready.h"
#include "rootfs/base/scoped.h"

struct fsck {
	struct store *store;
	struct work *work;
	fsck_told *told;
	struct removal *removal;
};

__attribute__((format(printf, 2, 3)))
static void tell(const struct fsck *fsck, const char *fmt, ...)
{
	char line[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fsck->told(line);
}

/* Calls EACH with the names in DIR that begin with a digest. */
static int each_digest(struct fsck *fsck, int dir,
		       int (*each)(struct fsck *, const char *, const struct digest *))
{
	int result = 0, fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream)
		return fail("read %s", fsck->store->path);
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));) {
		struct digest digest = { "" };
		if (!digest_is_hex(entry->d_name, DIGEST_HEX))
			continue;
		memcpy(digest.hex, entry->d_name, DIGEST_HEX);
		result = each(fsck, entry->d_name, &digest);
	}
	closedir(stream);
	return result;
}

static int hash_file(int file, struct digest *digest)
{
	char buffer[4096];
	struct sha256 sha;
	ssize_t n;
	sha256_init(&sha);
	while ((n = read(file, buffer, sizeof(buffer))) > 0)
		sha256_update(&sha, buffer, n);
	sha256_final(&sha, digest);
	return (int)n;
}

/* Whether what is damaged stays where it is; WHAT says what it is, USED that a container runs from it. */
static bool stays(const struct fsck *fsck, const char *what, bool used)
{
	if (!used && !fsck->removal->read_only)
		return false;
	tell(fsck, "%s: it stays, since %s", what, used ? "it is in use" : "the store is read-only");
	fsck->removal->stays++;
	return true;
}

static int check_config(struct fsck *fsck, const char *name, const struct digest *id)
{
	struct digest found;
	scoped_fd file = openat(fsck->store->images, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0 || hash_file(file, &found) < 0)
		return fail("read image %.12s", id->hex);
	if (!strcmp(found.hex, name))
		return 0;
	char what[96];
	snprintf(what, sizeof(what), "image %.12s: its config is not what its ID says", id->hex);
	if (stays(fsck, what, image_in_use(fsck->store, id)))
		return 0;
	if (unlinkat(fsck->store->images, name, 0) < 0)
		return fail("remove image %.12s", id->hex);
	tell(fsck, "%s: removed", what);
	return 0;
}

static int check_name(void *context, const char *full, const struct digest *id)
{
	struct fsck *fsck = context;
	if (store_has_image(fsck->store, id))
		return 0;
	char what[NAMES_BYTES + 64];
	snprintf(what, sizeof(what), "name %s: it leads to no image", full);
	if (stays(fsck, what, false))
		return 0;
	tell(fsck, "%s: removed", what);
	return names_remove(fsck->store, full);
}

/* NULL: it is whole. */
static const char *find_fault(struct fsck *fsck, const struct digest *key)
{
	struct findings stated;
	struct census census;
	if (about_read(fsck->store, key, &stated) < 0) {
		failure_clear();
		return "nothing is known of it";
	}
	scoped_fd dir = openat(fsck->store->layers, key->hex, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || census_read(dir, &census) < 0)
		return "it can't be read";
	if (census.names != stated.names)
		return census.names < stated.names ? "files are missing in it"
						   : "there is more in it than there was";
	if (census.content != stated.content)
		return "files in it have another size";
	return stated.replaced || census.sum == stated.sum ? NULL : "files in it have changed";
}

/* What an image has that lacks a layer isn't known. */
static bool may_have(const struct listed_image *image, const struct digest *key)
{
	for (int i = 0; i < image->key_count; i++)
		if (digest_equal(&image->keys[i], key))
			return true;
	return !image->key_count;
}

static bool is_in_use(struct fsck *fsck, const struct digest *key)
{
	struct image_list list;
	bool used = false;
	if (images_list(fsck->store, &list) < 0)
		return true;
	for (int i = 0; i < list.count && !used; i++)
		if (may_have(&list.at[i], key))
			used = image_in_use(fsck->store, &list.at[i].id);
	images_free(&list);
	return used;
}

static int check_layer(struct fsck *fsck, const char *name, const struct digest *key)
{
	char what[128];
	struct about_name about = about_name(key);
	if (!strcmp(name, about.text)) {
		snprintf(what, sizeof(what), "layer %.12s: nothing of it is there", key->hex);
		if (store_has_layer(fsck->store, key) || stays(fsck, what, false))
			return 0;
		/* ENOENT: it went with its layer, just now */
		if (unlinkat(fsck->store->layers, name, 0) < 0)
			return errno == ENOENT ? 0 : fail("remove %s", name);
		tell(fsck, "%s: removed", what);
		return 0;
	}
	const char *fault = find_fault(fsck, key);
	if (!fault)
		return 0;
	snprintf(what, sizeof(what), "layer %.12s: %s", key->hex, fault);
	if (stays(fsck, what, is_in_use(fsck, key)))
		return 0;
	if (renameat(fsck->store->layers, name, fsck->work->dir, name) < 0)
		return fail("remove layer %.12s", key->hex);
	unlinkat(fsck->store->layers, about.text, 0);
	tell(fsck, "%s: removed", what);
	return 0;
}

/* Returns 1 where the image lacks a layer now; 0; -1 with a failure. */
static int check_image(const struct fsck *fsck, const struct listed_image *image)
{
	const char *called = image->name_count ? image->names[0] : image->id.hex;
	if (!image->key_count) {
		tell(fsck, "image %s: it must be loaded again", called);
		return 1;
	}
	int repaired = ready_repair(fsck->store, fsck->work, &image->id);
	if (repaired > 0)
		tell(fsck, "image %s: what a run needs of it was not right: %s", called,
		     fsck->removal->read_only ? "runs do without it" : "written anew");
	return repaired < 0 ? -1 : 0;
}

static int count_broken(struct fsck *fsck)
{
	struct image_list list;
	int broken = 0, one = 0;
	if (images_list(fsck->store, &list) < 0)
		return -1;
	for (int i = 0; i < list.count && one >= 0; i++) {
		one = check_image(fsck, &list.at[i]);
		broken += one;
	}
	images_free(&list);
	return one < 0 ? -1 : broken;
}

static int check_all(struct fsck *fsck)
{
	if (each_digest(fsck, fsck->store->images, check_config) < 0 ||
	    names_each(fsck->store, check_name, fsck) < 0 ||
	    each_digest(fsck, fsck->store->layers, check_layer) < 0)
		return -1;
	return count_broken(fsck);
}

/* In a store that can be written to: what is broken goes as it is found, what nobody needs at the end. */
static int check_and_remove(struct fsck *fsck)
{
	struct store *store = fsck->store;
	int swept = work_sweep(store);
	if (swept)
		tell(fsck, "%d broken loads: removed", swept);
	if (work_create(store, fsck->work) < 0)
		return -1;
	int broken = check_all(fsck);
	work_destroy(store, fsck->work);
	if (broken >= 0)
		fsck->removal->indexes = inplace_sweep(store, INPLACE_CHECK, fsck->told);
	return broken < 0 || fsck->removal->indexes < 0 || images_sweep(store, fsck->removal) < 0 ? -1 : broken;
}

static int check_alone(struct fsck *fsck)
{
	int broken = check_all(fsck);
	int stale = broken < 0 ? -1 : inplace_sweep(fsck->store, INPLACE_LOOK, fsck->told);
	if (stale < 0)
		return -1;
	fsck->removal->stays += stale;
	return broken;
}

int images_fsck(struct store *store, fsck_told *told, struct removal *removal)
{
	struct work work = { .dir = -1 };
	struct fsck fsck = { store, &work, told, removal };
	*removal = (struct removal){ .read_only = store_is_read_only(store) };
	if (store->layers < 0)
		return 0;
	if (!removal->read_only && store_make(store) < 0)
		return -1;
	scoped_fd lock = store_lock(store, STORE_EXCLUSIVE);
	if (lock < 0)
		return -1;
	return removal->read_only ? check_alone(&fsck) : check_and_remove(&fsck);
}

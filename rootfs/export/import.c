/*
 * A root file system becomes an image: one layer, and a config that says nothing but the machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/archive/archive.h"
#include "rootfs/base/err.h"
#include "rootfs/export/export.h"
#include "rootfs/base/json.h"
#include "rootfs/load/loader.h"
#include "rootfs/store/names.h"
#include "rootfs/export/pack.h"
#include "rootfs/base/platform.h"
#include "rootfs/store/room.h"
#include "rootfs/base/scoped.h"

struct packed {
	int to;
	uint64_t written;
};

static int sink(void *context, const void *data, size_t size)
{
	struct packed *packed = context;
	for (const char *at = data; size;) {
		ssize_t n = write(packed->to, at, size);
		if (n < 0) {
			room_hint(packed->written);
			return fail("pack the directory into the store");
		}
		at += n;
		size -= n;
		packed->written += n;
	}
	return 0;
}

/* The directory as a tar archive, in a file without a name: it becomes what is read. */
static int pack_directory(struct archive *archive, const struct work *work)
{
	const struct pack_options options = { .kind = PACK_TREE, .root_entry = 1 };
	scoped_fd to = openat(work->dir, "rootfs", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0 || unlinkat(work->dir, "rootfs", 0) < 0)
		return fail("make a file in the store");
	struct packed packed = { .to = to };
	if (pack_tree(archive->dir, &options, sink, &packed) < 0)
		return -1;
	archive->file = take_fd(&to);
	return 0;
}

static int open_tar(struct archive *archive, const char *path, const struct work *work,
		    const struct spool_options *options)
{
	if (archive_open(archive, path) < 0)
		return -1;
	if (archive->dir >= 0)
		return pack_directory(archive, work);
	return archive->packed ? archive_spool(archive, work, options) : 0;
}

static int hash_file(const struct blob *blob, const char *path, struct digest *digest)
{
	static unsigned char buffer[65536];
	struct sha256 sha;
	ssize_t size;
	sha256_init(&sha);
	for (uint64_t at = 0; (size = blob_read(blob, at, buffer, sizeof(buffer))) > 0; at += size)
		sha256_update(&sha, buffer, size);
	sha256_final(&sha, digest);
	return size < 0 ? fail("read %s", path) : 0;
}

static char *make_config(const struct digest *diff_id)
{
	struct platform platform;
	platform_native(&platform);
	json_t *config = json_pack("{s:s, s:s, s:{}, s:{s:s, s:[o]}}", "architecture",
				   platform.arch, "os", platform.os, "config", "rootfs", "type",
				   "layers", "diff_ids", json_sprintf("sha256:%s", diff_id->hex));
	char *text = config ? json_dumps(config, JSON_COMPACT) : NULL;
	json_decref(config);
	return text;
}

static int import_archive(struct store *store, const struct archive *archive, const char *full,
			  const struct work *work, struct digest *id)
{
	struct stat st;
	if (fstat(archive->file, &st) < 0)
		return fail("look at %s", archive->path);
	struct plan_layer layer = { .there = true, .blob = { archive->file, 0, st.st_size } };
	struct plan_image image = { .layers = &layer, .layer_count = 1 };
	if (hash_file(&layer.blob, archive->path, &layer.diff_id) < 0)
		return -1;
	scoped_ptr char *config = make_config(&layer.diff_id);
	if (!config)
		return fail("write the image's config");
	image.config = config;
	image.config_size = strlen(config);
	*id = image.id = sha256_of(config, image.config_size);
	return loader_put(store, work, archive->path, &image, full);
}

int image_import(struct store *store, const char *path, const char *name, uint64_t window,
		 struct digest *id)
{
	const struct spool_options spool = { store->path, window ? window : DECODER_WINDOW, 1 };
	char full[NAMES_BYTES + 1];
	struct archive archive;
	struct work work = { .dir = -1 };
	if (!names_complete(name, full))
		return failx("'%s' is no name for an image", name);
	if (strcmp(path, "-") && access(path, R_OK) < 0)
		return fail("open %s", path);
	if (store_make(store) < 0 || work_create(store, &work) < 0)
		return -1;
	int result = open_tar(&archive, path, &work, &spool);
	if (result == 0)
		result = import_archive(store, &archive, full, &work, id);
	archive_close(&archive);
	work_destroy(store, &work);
	return result;
}

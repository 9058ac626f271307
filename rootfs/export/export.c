#include "rootfs/export/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/store/about.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/store/names.h"
#include "rootfs/export/pack.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/stack.h"

#define TYPE "application/vnd.oci.image."

struct output {
	const char *path;
	int file;
	struct sha256 hash; /* of the member that is being written */
	uint64_t size;
};

static int write_all(struct output *output, const void *data, size_t size)
{
	for (const char *at = data; size;) {
		ssize_t n = write(output->file, at, size);
		if (n < 0)
			return fail("write %s", output->path);
		at += n;
		size -= n;
	}
	return 0;
}

static int sink(void *context, const void *data, size_t size)
{
	struct output *output = context;
	sha256_update(&output->hash, data, size);
	output->size += size;
	return write_all(output, data, size);
}

static int pad(struct output *output, uint64_t size)
{
	static const char zeros[512];
	return size % 512 ? write_all(output, zeros, 512 - size % 512) : 0;
}

static int put_member(struct output *output, const char *name, const char *data, size_t size)
{
	unsigned char header[512];
	pack_header(header, name, size);
	if (write_all(output, header, sizeof(header)) < 0 || write_all(output, data, size) < 0)
		return -1;
	return pad(output, size);
}

static json_t *descriptor(const char *type, const struct digest *digest, uint64_t size)
{
	return json_pack("{s:s+, s:s+, s:I}", "mediaType", TYPE, type, "digest",
			 "sha256:", digest->hex, "size", (json_int_t)size);
}

static int put_blob(struct output *output, const char *data, size_t size, struct digest *digest)
{
	char name[128];
	*digest = sha256_of(data, size);
	snprintf(name, sizeof(name), "blobs/sha256/%s", digest->hex);
	return put_member(output, name, data, size);
}

static json_t *put_document(struct output *output, json_t *document, const char *type)
{
	struct digest digest;
	scoped_ptr char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;
	json_decref(document);
	if (!text) {
		fail("write a document of the image");
		return NULL;
	}
	return put_blob(output, text, strlen(text), &digest) < 0
		       ? NULL
		       : descriptor(type, &digest, strlen(text));
}

/* Its name is its digest, which is known when it has been written: the header is written last. */
static json_t *put_layer(struct output *output, const struct store *store, const struct digest *key,
			 struct digest *diff_id)
{
	struct findings found;
	unsigned char header[512] = "";
	char name[128];
	scoped_fd root = openat(store->layers, key->hex, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (about_read(store, key, &found) < 0)
		return NULL;
	const struct pack_options options = { .kind = PACK_LAYER,
					      .opaque_root = found.opaque_root,
					      .root_entry = found.has_root };
	off_t at = lseek(output->file, 0, SEEK_CUR);
	if (root < 0 || at < 0) {
		fail("write layer %.12s", key->hex);
		return NULL;
	}
	sha256_init(&output->hash);
	output->size = 0;
	if (write_all(output, header, sizeof(header)) < 0 ||
	    pack_tree(root, &options, sink, output) < 0 || pad(output, output->size) < 0)
		return NULL;
	sha256_final(&output->hash, diff_id);
	snprintf(name, sizeof(name), "blobs/sha256/%s", diff_id->hex);
	pack_header(header, name, output->size);
	if (pwrite(output->file, header, sizeof(header), at) != sizeof(header)) {
		fail("write %s", output->path);
		return NULL;
	}
	return descriptor("layer.v1.tar", diff_id, output->size);
}

/* Writes all layers; the config gets their new diff IDs. */
static json_t *put_layers(struct output *output, const struct store *store,
			  const struct digest *keys, int count, json_t *config)
{
	json_t *layers = json_array(), *diff_ids = json_array();
	for (int i = 0; i < count; i++) {
		struct digest diff_id;
		json_t *layer = put_layer(output, store, &keys[i], &diff_id);
		if (!layer) {
			json_decref(layers);
			json_decref(diff_ids);
			return NULL;
		}
		json_array_append_new(layers, layer);
		json_array_append_new(diff_ids, json_sprintf("sha256:%s", diff_id.hex));
	}
	json_object_set_new(json_object_get(config, "rootfs"), "diff_ids", diff_ids);
	return layers;
}

/* NAME: "" where it was called by its ID, which is no name to load it under. */
static int put_index(struct output *output, json_t *manifest, const char *name)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	static const char end[1024];
	if (*name)
		json_object_set_new(manifest, "annotations",
				    json_pack("{s:s}", "org.opencontainers.image.ref.name", name));
	json_t *index = json_pack("{s:i, s:s, s:[o]}", "schemaVersion", 2, "mediaType",
				  TYPE "index.v1+json", "manifests", manifest);
	scoped_ptr char *text = index ? json_dumps(index, JSON_COMPACT) : NULL;
	json_decref(index);
	if (!text)
		return fail("write the index");
	if (put_member(output, "index.json", text, strlen(text)) < 0 ||
	    put_member(output, "oci-layout", layout, strlen(layout)) < 0)
		return -1;
	return write_all(output, end, sizeof(end));
}

static int put_image(struct output *output, const struct store *store, const struct image *image,
		     const char *name)
{
	struct digest id;
	size_t size;
	scoped_ptr struct digest *keys = NULL;
	memcpy(id.hex, image->id, sizeof(id.hex));
	scoped_ptr char *whole = image_config(image, &size);
	scoped_json *config = whole ? json_read(whole, size, "the image's config") : NULL;
	int count = config ? stack_read(store, &id, config, &keys, NULL) : -1;
	json_t *layers = count < 0 ? NULL : put_layers(output, store, keys, count, config);
	if (!layers)
		return -1;
	json_t *described = put_document(output, json_incref(config), "config.v1+json");
	if (!described) {
		json_decref(layers);
		return -1;
	}
	json_t *manifest = put_document(output,
					json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2,
						  "mediaType", TYPE "manifest.v1+json", "config",
						  described, "layers", layers),
					"manifest.v1+json");
	return manifest ? put_index(output, manifest, name) : -1;
}

/* It is replaced by a rename: what is no file there is not ours to replace. */
static int check_target(const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : fail("look at %s", path);
	return S_ISREG(st.st_mode) ? 0 : failx("%s: it is there, and it is not a file", path);
}

static int save_to(struct output *output, struct store *store, const struct image *image,
		   const char *name)
{
	char temporary[4096];
	if (check_target(output->path) < 0)
		return -1;
	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.part", output->path) >=
	    sizeof(temporary))
		return failx("%.100s…: the file's name is too long", output->path);
	/* What a save that was killed has left, or a link that somebody laid there: a new file either way. */
	if (unlink(temporary) < 0 && errno != ENOENT)
		return fail("remove %s", temporary);
	scoped_fd file = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (file < 0)
		return fail("make %s", temporary);
	output->file = file;
	if (put_image(output, store, image, name) == 0 &&
	    (fsync(file) < 0 || rename(temporary, output->path) < 0))
		fail("write %s", output->path);
	if (!failure_get()->status)
		return 0;
	unlink(temporary);
	return -1;
}

int image_save(struct store *store, const char *text, const char *file)
{
	struct image image;
	struct digest id;
	char full[NAMES_BYTES + 1];
	struct output output = { .path = file };
	/* A file of that name is not meant: it would be loaded first. */
	int found = names_find(store, text, &id, full);
	if (found < 0)
		return -1;
	if (strchr(full, '@'))
		*full = '\0';
	if (!found)
		return failx("there is no image '%s' in %s", text, store->path);
	if (image_open(store, &id, &image) < 0)
		return -1;
	int result = save_to(&output, store, &image, full);
	image_close(&image);
	return result;
}

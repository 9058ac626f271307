#include "rootfs/export/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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
	bool streams; /* what is written can't be written to again */
	bool counts;  /* nothing is written: what will be is hashed and counted */
	struct sha256 hash; /* of the member that is being written */
	uint64_t size;
	json_t *layers;       /* those that are written: key → descriptor */
	json_t *manifests;    /* of index.json */
	json_t *documents;    /* manifest.json, as docker reads it */
	json_t *repositories; /* the same for docker before 1.10 */
};

static int write_all(struct output *output, const void *data, size_t size)
{
	for (const char *at = data; size;) {
		ssize_t n = write(output->file, at, size);
		if (n < 0 && errno == EINTR)
			continue;
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
	return output->counts ? 0 : write_all(output, data, size);
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
	if (json_object_get(output->layers, digest->hex))
		return 0; /* another name of an image that is written already */
	json_object_set_new(output->layers, digest->hex, json_true());
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

static int put_layer_header(struct output *output, const struct digest *diff_id, uint64_t size, off_t at)
{
	unsigned char header[512];
	char name[128];
	snprintf(name, sizeof(name), "blobs/sha256/%s", diff_id->hex);
	pack_header(header, name, size);
	if (at < 0)
		return write_all(output, header, sizeof(header));
	return pwrite(output->file, header, sizeof(header), at) == sizeof(header) ? 0 : fail("write %s", output->path);
}

/* One time over the tree: its bytes are written, or only counted. */
static int pack_once(struct output *output, int root, const struct pack_options *options, struct digest *diff_id)
{
	sha256_init(&output->hash);
	output->size = 0;
	if (pack_tree(root, options, sink, output) < 0)
		return -1;
	sha256_final(&output->hash, diff_id);
	return 0;
}

/*
 * A layer's name is its digest, which is known when it has been written: the header is written last. To a pipe
 * the tree is read twice instead: nothing of it need be kept anywhere.
 */
static int pack_layer(struct output *output, int root, const struct pack_options *options, struct digest *diff_id)
{
	static const unsigned char header[512];
	struct digest again;
	off_t at = output->streams ? -1 : lseek(output->file, 0, SEEK_CUR);
	if (!output->streams) {
		if (at < 0)
			return fail("write %s", output->path);
		if (write_all(output, header, sizeof(header)) < 0 || pack_once(output, root, options, diff_id) < 0 ||
		    pad(output, output->size) < 0)
			return -1;
		return put_layer_header(output, diff_id, output->size, at);
	}
	output->counts = true;
	int counted = pack_once(output, root, options, diff_id);
	output->counts = false;
	uint64_t size = output->size;
	if (counted < 0 || put_layer_header(output, diff_id, size, -1) < 0 ||
	    pack_once(output, root, options, &again) < 0)
		return -1;
	if (!digest_equal(diff_id, &again) || size != output->size)
		return failx("a layer has changed while it was written");
	return pad(output, size);
}

static json_t *put_layer(struct output *output, const struct store *store, const struct digest *key)
{
	struct findings found;
	struct digest diff_id;
	json_t *known = json_object_get(output->layers, key->hex);
	if (known)
		return json_incref(known);
	scoped_fd root = openat(store->layers, key->hex, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (about_read(store, key, &found) < 0)
		return NULL;
	const struct pack_options options = { .kind = PACK_LAYER,
					      .opaque_root = found.opaque_root,
					      .root_entry = found.has_root };
	if (root < 0)
		fail("write layer %.12s", key->hex);
	if (root < 0 || pack_layer(output, root, &options, &diff_id) < 0)
		return NULL;
	json_t *layer = descriptor("layer.v1.tar", &diff_id, output->size);
	json_object_set(output->layers, key->hex, layer);
	return layer;
}

/* Writes all layers; the config gets their new diff IDs. */
static json_t *put_layers(struct output *output, const struct store *store,
			  const struct digest *keys, int count, json_t *config)
{
	json_t *layers = json_array(), *diff_ids = json_array();
	for (int i = 0; i < count; i++) {
		json_t *layer = put_layer(output, store, &keys[i]);
		if (!layer) {
			json_decref(layers);
			json_decref(diff_ids);
			return NULL;
		}
		json_array_append_new(layers, layer);
		json_array_append(diff_ids, json_object_get(layer, "digest"));
	}
	json_object_set_new(json_object_get(config, "rootfs"), "diff_ids", diff_ids);
	return layers;
}

/* Where DESCRIPTOR's blob lies. */
static json_t *blob_path(const json_t *descriptor)
{
	return json_sprintf("blobs/sha256/%s", json_text(descriptor, "digest") + strlen("sha256:"));
}

/* docker's own documents. NAME: "" where it was called by its ID, which is no name to load it under. */
static void note_for_docker(struct output *output, const json_t *config, const json_t *layers, const char *name)
{
	size_t i, count = json_array_size(layers);
	json_t *layer, *paths = json_array(), *path = blob_path(config);
	const char *colon = strrchr(name, ':');
	json_array_foreach(layers, i, layer)
		json_array_append_new(paths, blob_path(layer));
	json_t *tags = *name ? json_pack("[s]", name) : json_null();
	json_array_append_new(output->documents,
			      json_pack("{s:o, s:o, s:o}", "Config", path, "RepoTags", tags, "Layers", paths));
	if (!colon || !count)
		return;
	scoped_ptr char *repository = strndup(name, colon - name);
	const char *top = json_text(json_array_get(layers, count - 1), "digest") + strlen("sha256:");
	json_t *known = repository ? json_object_get(output->repositories, repository) : NULL;
	if (known)
		json_object_set_new(known, colon + 1, json_string(top));
	else if (repository)
		json_object_set_new(output->repositories, repository, json_pack("{s:s}", colon + 1, top));
}

static int put_json(struct output *output, const char *name, json_t *document)
{
	scoped_ptr char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;
	json_decref(document);
	return text ? put_member(output, name, text, strlen(text)) : fail("write %s", name);
}

static int put_index(struct output *output)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	static const char end[1024];
	json_t *index = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType", TYPE "index.v1+json", "manifests",
				  output->manifests);
	if (put_json(output, "index.json", index) < 0 ||
	    put_member(output, "oci-layout", layout, strlen(layout)) < 0 ||
	    put_json(output, "manifest.json", json_incref(output->documents)) < 0)
		return -1;
	/* docker 1.10 and later read it where manifest.json is missing alone. */
	if (json_object_size(output->repositories) &&
	    put_json(output, "repositories", json_incref(output->repositories)) < 0)
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
	scoped_json *layers = count < 0 ? NULL : put_layers(output, store, keys, count, config);
	scoped_json *described = layers ? put_document(output, json_incref(config), "config.v1+json") : NULL;
	if (!described)
		return -1;
	note_for_docker(output, described, layers, name);
	json_t *manifest = put_document(output,
					json_pack("{s:i, s:s, s:O, s:O}", "schemaVersion", 2,
						  "mediaType", TYPE "manifest.v1+json", "config",
						  described, "layers", layers),
					"manifest.v1+json");
	if (manifest && *name)
		json_object_set_new(manifest, "annotations",
				    json_pack("{s:s}", "org.opencontainers.image.ref.name", name));
	return manifest ? json_array_append_new(output->manifests, manifest) : -1;
}

static int put_one(struct output *output, struct store *store, const char *text)
{
	struct image image;
	struct digest id;
	char full[NAMES_BYTES + 1];
	/* A file of that name is not meant: it would be loaded first. */
	int found = names_find(store, text, &id, full);
	if (found < 0)
		return -1;
	if (!found)
		return failx("there is no image '%s' in %s", text, store->path);
	if (strchr(full, '@'))
		*full = '\0';
	if (image_open(store, &id, &image) < 0)
		return -1;
	int result = put_image(output, store, &image, full);
	image_close(&image);
	return result;
}

/* All of TEXTS, whose end is a NULL, into OUTPUT's file. */
static int put_all(struct output *output, struct store *store, char **texts)
{
	output->layers = json_object();
	output->manifests = json_array();
	output->documents = json_array();
	output->repositories = json_object();
	int result = 0;
	for (; *texts && result == 0; texts++)
		result = put_one(output, store, *texts);
	if (result == 0)
		result = put_index(output);
	json_decref(output->layers);
	json_decref(output->manifests);
	json_decref(output->documents);
	json_decref(output->repositories);
	return result;
}

/* It is replaced by a rename: what is no file there is not ours to replace. */
static int check_target(const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : fail("look at %s", path);
	return S_ISREG(st.st_mode) ? 0 : failx("%s: it is there, and it is not a file", path);
}

static int check_all(const struct store *store, char **texts)
{
	struct digest id;
	char full[NAMES_BYTES + 1];
	for (; *texts; texts++) {
		int found = names_find(store, *texts, &id, full);
		if (found <= 0)
			return found < 0 ? -1 : failx("there is no image '%s' in %s", *texts, store->path);
	}
	return 0;
}

static int save_to_file(struct store *store, char **texts, const char *path)
{
	char temporary[4096];
	struct output output = { .path = path };
	if (check_target(path) < 0)
		return -1;
	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.part", path) >= sizeof(temporary))
		return failx("%.100s…: the file's name is too long", path);
	/* What a save that was killed has left, or a link that somebody laid there: a new file either way. */
	if (unlink(temporary) < 0 && errno != ENOENT)
		return fail("remove %s", temporary);
	scoped_fd file = openat(AT_FDCWD, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (file < 0)
		return fail("make %s", temporary);
	output.file = file;
	if (put_all(&output, store, texts) == 0 && (fsync(file) < 0 || rename(temporary, path) < 0))
		fail("write %s", path);
	if (!failure_get()->status)
		return 0;
	unlink(temporary);
	return -1;
}

int image_save(struct store *store, char **texts, const char *file)
{
	struct output output = { .path = "standard output", .file = STDOUT_FILENO, .streams = true };
	if (check_all(store, texts) < 0)
		return -1;
	return file ? save_to_file(store, texts, file) : put_all(&output, store, texts);
}

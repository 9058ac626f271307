/*
 * OCI layout: index.json, manifests, configs and layers, each checked against what points at it
 * (IMAGES.md rule 3).
 */
#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/store/names.h"
#include "rootfs/archive/plan.h"
#include "rootfs/base/scoped.h"

enum { INDEX_DEPTH = 4 };

enum media {
	MEDIA_INDEX,
	MEDIA_MANIFEST,
	MEDIA_CONFIG,
	MEDIA_LAYER,
	MEDIA_OLD,
	MEDIA_ENCRYPTED,
	MEDIA_UNKNOWN
};

static enum media media_of(const char *type)
{
	static const struct {
		const char *type;
		enum media media;
	} known[] = {
		{ "application/vnd.oci.image.index.v1+json", MEDIA_INDEX },
		{ "application/vnd.docker.distribution.manifest.list.v2+json", MEDIA_INDEX },
		{ "application/vnd.oci.image.manifest.v1+json", MEDIA_MANIFEST },
		{ "application/vnd.docker.distribution.manifest.v2+json", MEDIA_MANIFEST },
		{ "application/vnd.docker.distribution.manifest.v1+json", MEDIA_OLD },
		{ "application/vnd.docker.distribution.manifest.v1+prettyjws", MEDIA_OLD },
		{ "application/vnd.oci.image.config.v1+json", MEDIA_CONFIG },
		{ "application/vnd.docker.container.image.v1+json", MEDIA_CONFIG },
		{ "application/vnd.oci.image.layer.v1.tar", MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.v1.tar+gzip", MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.v1.tar+zstd", MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar", MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MEDIA_LAYER },
		{ "application/vnd.docker.image.rootfs.diff.tar", MEDIA_LAYER },
		{ "application/vnd.docker.image.rootfs.diff.tar.gzip", MEDIA_LAYER },
		{ "application/vnd.docker.image.rootfs.diff.tar.zstd", MEDIA_LAYER },
		{ "application/vnd.docker.image.rootfs.foreign.diff.tar", MEDIA_LAYER },
		{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MEDIA_LAYER },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(type, known[i].type))
			return known[i].media;
	size_t length = strlen(type);
	if (length > 10 && !strcmp(type + length - 10, "+encrypted"))
		return MEDIA_ENCRYPTED;
	/*
	 * Compression goes by magic bytes: a layer type with a suffix of its own (xz) is a layer.
	 */
	if (!strncmp(type, "application/vnd.oci.image.layer.v1.tar+", 39))
		return MEDIA_LAYER;
	return MEDIA_UNKNOWN;
}

static int descriptor_parse(const struct plan_reader *reader, const json_t *object,
			    struct descriptor *descriptor)
{
	const char *digest = json_text(object, "digest"), *type = json_text(object, "mediaType");
	const char *path = reader->archive->path;
	*descriptor = (struct descriptor){ .media_type = type ? type : "",
					   .size = json_size(object, "size") };
	if (!digest_parse(digest, &descriptor->digest))
		return failx("%s: '%.100s' is no sha256 digest", path, digest ? digest : "");
	if (descriptor->size < 0)
		return failx("%s: the size of sha256:%.12s is missing", path,
			     descriptor->digest.hex);
	return 0;
}

static void blob_name(const struct digest *digest, char *name, size_t size)
{
	snprintf(name, size, "blobs/sha256/%s", digest->hex);
}

/* Reads and checks what the descriptor points at: WHAT, for messages. */
static int read_document(struct plan_reader *reader, const struct descriptor *descriptor,
			 const char *what, char **text, size_t *size)
{
	char name[128];
	const char *path = reader->archive->path;
	scoped_ptr char *read = NULL;
	blob_name(&descriptor->digest, name, sizeof(name));
	int found = archive_read(reader->archive, name, &read, size);
	if (found <= 0)
		return found < 0 ? -1 : failx("%s: the %s %s is missing", path, what, name);
	if ((long long)*size != descriptor->size)
		return failx("%s: the %s %s has %zu bytes; %lld are stated", path, what, name,
			     *size, descriptor->size);
	struct digest digest = sha256_of(read, *size);
	if (!digest_equal(&digest, &descriptor->digest))
		return failx("%s: the %s %s has the wrong digest: sha256:%s", path, what, name,
			     digest.hex);
	*text = take_ptr(&read);
	return 1;
}

static int read_layer(struct plan_reader *reader, const json_t *object, struct plan_layer *layer)
{
	struct descriptor descriptor;
	const char *path = reader->archive->path;
	if (descriptor_parse(reader, object, &descriptor) < 0)
		return -1;
	enum media media = media_of(descriptor.media_type);
	if (media == MEDIA_ENCRYPTED)
		return failx("%s: layer sha256:%.12s is encrypted", path, descriptor.digest.hex);
	if (media != MEDIA_LAYER)
		return failx("%s: layer sha256:%.12s is of an unknown type: %.100s", path,
			     descriptor.digest.hex, descriptor.media_type);
	layer->digest = descriptor.digest;
	blob_name(&layer->digest, layer->name, sizeof(layer->name));
	int found = archive_find(reader->archive, layer->name, &layer->blob);
	if (found < 0)
		return -1;
	layer->there = found;
	if (found && layer->blob.size != (uint64_t)descriptor.size)
		return failx("%s: layer %s has %llu bytes; %lld are stated", path, layer->name,
			     (unsigned long long)layer->blob.size, descriptor.size);
	return 0;
}

static int read_layers(struct plan_reader *reader, struct plan_image *image, const json_t *layers)
{
	if ((int)json_array_size(layers) != image->layer_count)
		return failx("%s: the manifest lists %zu layers, the image's config %d",
			     reader->archive->path, json_array_size(layers), image->layer_count);
	for (int i = 0; i < image->layer_count; i++)
		if (read_layer(reader, json_array_get(layers, i), &image->layers[i]) < 0)
			return -1;
	return 0;
}

static int read_manifest(struct plan_reader *reader, const json_t *manifest,
			 struct plan_image *image)
{
	struct descriptor config;
	char *text = NULL;
	size_t size;
	const char *path = reader->archive->path;
	const json_t *layers = json_member_array(manifest, "layers");
	if (json_object_get(manifest, "manifests"))
		return failx("%s: a manifest that is an index, too, is refused", path);
	if (json_object_get(manifest, "fsLayers") || json_size(manifest, "schemaVersion") == 1)
		return failx(
			"%s: its manifest is Docker's old schema 1: pull and save the image anew",
			path);
	if (!layers || !json_member_object(manifest, "config"))
		return failx("%s: its manifest has no config or no layers", path);
	if (descriptor_parse(reader, json_object_get(manifest, "config"), &config) < 0)
		return -1;
	if (media_of(config.media_type) != MEDIA_CONFIG)
		return failx("%s: it holds no image but '%.100s'", path, config.media_type);
	if (read_document(reader, &config, "config", &text, &size) < 0)
		return -1;
	return plan_set_config(reader, image, text, size) < 0 ? -1
							      : read_layers(reader, image, layers);
}

/* Signatures and records of a build stand among the manifests, for a platform "unknown". */
static bool is_attestation(const json_t *entry)
{
	const char *os = json_text(json_member_object(entry, "platform"), "os");
	return (os && !strcmp(os, "unknown")) ||
	       json_text(json_member_object(entry, "annotations"), "vnd.docker.reference.type");
}

static int score(const struct plan_reader *reader, const json_t *entry)
{
	struct platform platform;
	const json_t *stated = json_member_object(entry, "platform");
	if (is_attestation(entry))
		return 0;
	if (!stated)
		return 1; /* its config will tell */
	platform_from_json(&platform, stated);
	int match = platform_match(&platform, &reader->platform);
	return match ? 1 + match : 0;
}

static const char *name_of(const json_t *entry)
{
	const json_t *annotations = json_member_object(entry, "annotations");
	const char *name = json_text(annotations, "io.containerd.image.name");
	return name ? name : json_text(annotations, "org.opencontainers.image.ref.name");
}

static bool same_name(const json_t *a, const json_t *b)
{
	const char *left = name_of(a), *right = name_of(b);
	return left && right ? !strcmp(left, right) : left == right;
}

static int none_matches(const struct plan_reader *reader, const json_t *manifests)
{
	char list[256] = "", text[48], ours[48];
	size_t used = 0;
	for (size_t i = 0; i < json_array_size(manifests); i++) {
		struct platform platform;
		const json_t *entry = json_array_get(manifests, i);
		if (is_attestation(entry))
			continue;
		platform_from_json(&platform, json_member_object(entry, "platform"));
		if (used < sizeof(list))
			used += snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
					 platform_text(&platform, text));
	}
	return failx("%s: there is no image for %s in it, only for %s", reader->archive->path,
		     platform_text(&reader->platform, ours), list);
}

static int read_index(struct plan_reader *, const json_t *, const char *name, int depth);

static int add_image(struct plan_reader *reader, const json_t *manifest, const char *name)
{
	struct plan_image *image = plan_add(reader);
	char full[NAMES_BYTES + 1];
	if (!image || read_manifest(reader, manifest, image) < 0)
		return -1;
	/* In a layout a reference is often a tag alone; the file's name goes before it, then. */
	if (name && !strpbrk(name, "/:") && names_from_file(reader->archive->path, name, full))
		name = full;
	return name ? plan_add_name(image, name) : 0;
}

/* ENTRY of an index: a manifest, or another index. */
static int follow(struct plan_reader *reader, const json_t *entry, const char *name, int depth)
{
	struct descriptor descriptor;
	scoped_ptr char *text = NULL;
	char what[256];
	size_t size;
	const char *path = reader->archive->path;
	if (descriptor_parse(reader, entry, &descriptor) < 0)
		return -1;
	enum media media = media_of(descriptor.media_type);
	if (media == MEDIA_OLD)
		return failx(
			"%s: its manifest is Docker's old schema 1: pull and save the image anew",
			path);
	if (media != MEDIA_INDEX && media != MEDIA_MANIFEST)
		return failx("%s: its index points at an unknown type: '%.100s'", path,
			     descriptor.media_type);
	if (read_document(reader, &descriptor, media == MEDIA_INDEX ? "index" : "manifest", &text,
			  &size) < 0)
		return -1;
	snprintf(what, sizeof(what), "%.200s: blob %.12s", path, descriptor.digest.hex);
	scoped_json *json = json_read(text, size, what);
	if (!json)
		return -1;
	const char *own = json_text(json, "mediaType");
	if (own && strcmp(own, descriptor.media_type))
		return failx("%s says that it is '%.100s', and what points at it says otherwise",
			     what, own);
	return media == MEDIA_INDEX ? read_index(reader, json, name, depth + 1)
				    : add_image(reader, json, name);
}

/* The best of those that have the name of entry FIRST; NULL: none runs here. */
static const json_t *choose(const struct plan_reader *reader, const json_t *manifests, size_t first)
{
	const json_t *best = NULL;
	int best_score = 0;
	for (size_t i = first; i < json_array_size(manifests); i++) {
		const json_t *entry = json_array_get(manifests, i);
		int points = same_name(entry, json_array_get(manifests, first))
				     ? score(reader, entry)
				     : 0;
		if (points > best_score) {
			best = entry;
			best_score = points;
		}
	}
	return best;
}

static bool named_before(const json_t *manifests, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same_name(json_array_get(manifests, i), json_array_get(manifests, at)))
			return true;
	return false;
}

/*
 * An index lists one image for several platforms; that of a layout lists several images, too, by
 * name.
 */
static int read_index(struct plan_reader *reader, const json_t *index, const char *name, int depth)
{
	const char *path = reader->archive->path;
	const json_t *manifests = json_member_array(index, "manifests");
	int taken = 0;
	if (depth >= INDEX_DEPTH)
		return failx("%s: its indexes are nested more than %d deep", path, INDEX_DEPTH);
	if (json_object_get(index, "layers"))
		return failx("%s: an index that is a manifest, too, is refused", path);
	if (!manifests || !json_array_size(manifests))
		return failx("%s: its index lists no image", path);
	if (json_array_size(manifests) > 1000)
		return failx("%s: its index lists more than 1000 images", path);
	for (size_t i = 0; i < json_array_size(manifests); i++) {
		const json_t *entry;
		if (named_before(manifests, i) || !(entry = choose(reader, manifests, i)))
			continue;
		const char *own = name_of(entry);
		if (follow(reader, entry, own ? own : name, depth) < 0)
			return -1;
		taken++;
	}
	return taken ? 0 : none_matches(reader, manifests);
}

int plan_read_oci(struct plan_reader *reader)
{
	scoped_json *json = plan_document(reader, "index.json");
	return json ? read_index(reader, json, NULL, 0) : -1;
}

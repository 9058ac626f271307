#include "rootfs/archive/plan_manifest.h"

#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* Of all documents of an archive, a blob that is pointed at twice counted twice. */
enum { DOCUMENT_BYTES = 64 << 20 };

enum media plan_media(const char *type)
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

int plan_descriptor(const struct plan_reader *reader, const json_t *object,
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

int plan_read_described(struct plan_reader *reader, const struct descriptor *descriptor, const char *what,
			char **text, size_t *size)
{
	char name[128];
	const char *path = reader->archive->path;
	scoped_ptr char *read = NULL;
	blob_name(&descriptor->digest, name, sizeof(name));
	int found = archive_read(reader->archive, name, &read, size);
	if (found <= 0)
		return found < 0 ? -1 : failx("%s: the %s %s is missing", path, what, name);
	reader->document_bytes += *size;
	if (reader->document_bytes > DOCUMENT_BYTES)
		return failx("%s: its documents take more than %d MiB together", path, DOCUMENT_BYTES >> 20);
	if ((long long)*size != descriptor->size)
		return failx("%s: the %s %s has %zu bytes; %lld are stated", path, what, name,
			     *size, descriptor->size);
	struct digest digest = sha256_of(read, *size);
	if (!digest_equal(&digest, &descriptor->digest))
		return failx("%s: the %s %s has the wrong digest: sha256:%s", path, what, name,
			     digest.hex);
	*text = take_ptr(&read);
	return 0;
}

/* By their types alone: a signature has an image's config, and a layer of its own kind. */
static enum plan_answer check_layer_types(struct plan_reader *reader, const json_t *layers)
{
	for (size_t i = 0; i < json_array_size(layers); i++) {
		const json_t *layer = json_array_get(layers, i);
		const char *type = json_text(layer, "mediaType"), *digest = json_text(layer, "digest");
		enum media media = plan_media(type ? type : "");
		if (media == MEDIA_ENCRYPTED)
			return passed_because(&reader->passed, "its layer %.19s is encrypted", digest ? digest : "");
		if (media != MEDIA_LAYER)
			return passed_because(&reader->passed, "its layer %.19s is of an unknown type: '%.100s'",
					      digest ? digest : "", type ? type : "");
	}
	return PLAN_TAKEN;
}

static int read_layer(struct plan_reader *reader, const json_t *object, struct plan_layer *layer)
{
	struct descriptor descriptor;
	const char *path = reader->archive->path;
	if (plan_descriptor(reader, object, &descriptor) < 0)
		return -1;
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

/* What can be told without its config. */
static enum plan_answer check_manifest(struct plan_reader *reader, const json_t *manifest)
{
	const json_t *config = json_member_object(manifest, "config");
	const char *type = json_text(config, "mediaType");
	if (json_object_get(manifest, "manifests"))
		return failx("%s: a manifest that is an index, too, is refused", reader->archive->path);
	if (json_object_get(manifest, "fsLayers") || json_size(manifest, "schemaVersion") == 1)
		return passed_because(&reader->passed, "its manifest is Docker's old schema 1: pull and save "
				      "the image anew");
	if (!config)
		return passed_because(&reader->passed, "its manifest has no config");
	if (plan_media(type ? type : "") != MEDIA_CONFIG)
		return passed_because(&reader->passed, "it holds no image but '%.100s'", type ? type : "");
	return check_layer_types(reader, json_member_array(manifest, "layers"));
}

enum plan_answer plan_read_manifest(struct plan_reader *reader, const json_t *manifest)
{
	struct descriptor config;
	char *text = NULL;
	size_t size;
	enum plan_answer answer = check_manifest(reader, manifest);
	if (answer != PLAN_TAKEN)
		return answer;
	struct plan_image *image = plan_add(reader);
	if (!image || plan_descriptor(reader, json_object_get(manifest, "config"), &config) < 0 ||
	    plan_read_described(reader, &config, "config", &text, &size) < 0)
		return PLAN_FAILED;
	answer = plan_set_config(reader, image, text, size);
	if (answer != PLAN_TAKEN)
		return answer;
	return read_layers(reader, image, json_member_array(manifest, "layers")) < 0 ? PLAN_FAILED
										     : PLAN_TAKEN;
}

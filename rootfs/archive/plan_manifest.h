/* OCI descriptors and what they point at; one image's manifest (IMAGES.md rules 2 to 4). */
#ifndef ROOTFS_ARCHIVE_PLAN_MANIFEST_H
#define ROOTFS_ARCHIVE_PLAN_MANIFEST_H

#include "rootfs/archive/plan_private.h"

enum media {
	MEDIA_INDEX,
	MEDIA_MANIFEST,
	MEDIA_CONFIG,
	MEDIA_LAYER,
	MEDIA_OLD, /* Docker's schema 1 */
	MEDIA_ENCRYPTED,
	MEDIA_UNKNOWN
};

enum media plan_media(const char *type);

/* What is pointed at, and how it must hash. */
struct descriptor {
	const char *media_type; /* "" where absent; borrowed */
	struct digest digest;
	long long size;
};

/* Returns 0, or -1 with a failure. */
int plan_descriptor(const struct plan_reader *, const json_t *object, struct descriptor *);

/* Reads what the descriptor points at, checked: WHAT, for messages. The caller's to free. */
int plan_read_described(struct plan_reader *, const struct descriptor *, const char *what, char **text,
			size_t *size);

/* Adds its image to the plan, which may be without it after a failure or a foreign one. */
enum plan_answer plan_read_manifest(struct plan_reader *, const json_t *manifest);

#endif

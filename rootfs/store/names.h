/* Names of images: how they are written, kept and found. */
#ifndef ROOTFS_STORE_NAMES_H
#define ROOTFS_STORE_NAMES_H

#include <stdbool.h>

#include "rootfs/store/store.h"

enum { NAMES_BYTES = 250 }; /* it is a file's name */

/*
 * FULL of NAMES_BYTES + 1 bytes gets NAME, with ":latest" where it has no tag, without the docker.io and library/
 * that mean the same as nothing: "docker.io/library/busybox" is "busybox:latest". False: it is no name.
 */
bool names_complete(const char *name, char *full);

/* "busybox:1.36" → "busybox@sha256:…", by which people name an image's manifest; false where that is too long. */
bool names_with_digest(const char *full, const struct digest *manifest, char *with_digest);

/* "/x/app.tar.gz" and "1.2" → "app:1.2"; false where the file's name won't do. */
bool names_from_file(const char *file, const char *tag, char *full);

/* Calls ID by NAME, a full one. Returns 0, or -1 with a failure. */
int names_set(const struct store *, const struct work *, const char *full, const struct digest *id);

/* Returns 1; 0: the store has no such name; -1 with a failure. */
int names_get(const struct store *, const char *full, struct digest *id);

int names_remove(const struct store *, const char *full);

/*
 * Finds what a person calls an image: its name; the end of one ("busybox" for
 * "library/busybox:latest") or the beginning of an ID, "@sha256:…" or without that, if it is the
 * only one; NAME@sha256:…, of its manifest. FULL, where it isn't NULL, has NAMES_BYTES + 1 bytes and gets the name that was meant, "" where
 * it was an ID; an end that several names have is a failure then, even where all are one image's. Returns 1,
 * 0, -1 likewise.
 */
int names_find(const struct store *, const char *text, struct digest *id, char *full);

/*
 * Calls EACH with every name, in order; stops where it returns less than 0, and returns that. An ID is "" where
 * the name holds none.
 */
int names_each(const struct store *, int (*each)(void *context, const char *full, const struct digest *id),
	       void *context);

#endif

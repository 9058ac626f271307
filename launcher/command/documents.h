/* What is known of images, as JSON documents with docker's field names: for templates, tables and --format json. */
#ifndef LAUNCHER_COMMAND_DOCUMENTS_H
#define LAUNCHER_COMMAND_DOCUMENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "rootfs/store/images.h"

/* Into TEXT of 32 bytes; they return it. "4.26MB", as docker writes it. */
const char *document_size(uint64_t bytes, char *text);
/* "2024-05-01T12:30:00.5Z" → "3 weeks ago"; "N/A" where it isn't a time. */
const char *document_since(const char *created, char *text);
/* "2024-05-01 12:30:00 +0000 UTC" */
const char *document_at(const char *created, char *text);

/* As docker-image-inspect(1) has it. NULL with a failure. */
json_t *document_inspect(struct store *, const struct listed_image *);

/* An element of what podman-images(1) prints as JSON. */
json_t *document_listed(const struct store *, const struct listed_image *);

/*
 * A row of docker-image-ls(1) for one of its names, NULL: it has none. WHOLE: nothing is shortened.
 * DOCUMENT_TITLES are the headings.
 */
json_t *document_row(const struct listed_image *, const char *name, bool whole);
#define DOCUMENT_TITLES \
	"Repository=REPOSITORY,Tag=TAG,ID=IMAGE ID,Id=IMAGE ID,Names=NAMES,Digest=DIGEST,CreatedSince=CREATED," \
	"Created=CREATED,CreatedAt=CREATED AT,Size=SIZE,SharedSize=SHARED,VirtualSize=SIZE,UniqueSize=UNIQUE SIZE," \
	"Containers=CONTAINERS,Platform=PLATFORM"

#endif

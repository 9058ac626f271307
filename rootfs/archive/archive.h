/* What an image comes in: a tar archive, or a directory of the same shape. */
#ifndef ROOTFS_ARCHIVE_ARCHIVE_H
#define ROOTFS_ARCHIVE_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "rootfs/base/blob.h"
#include "rootfs/decode/compression.h"
#include "rootfs/store/store.h"

struct member {
	char *name; /* without a leading "./" or "/" */
	char *link; /* where it is a link; NULL otherwise */
	bool hard, regular;
	bool sparse; /* what is stored are pieces of it */
	uint64_t offset, size;
};

struct archive {
	const char *path; /* as the user named it, "-" for standard input: for messages; borrowed */
	int dir;          /* of a directory; -1 */
	int file;         /* of an archive; -1 */
	bool cut;         /* it ends without an end marker */
	bool packed;      /* compressed as a whole, or a pipe: archive_spool comes first */
	enum compression compression;
	struct member *members;
	struct member **sorted; /* by name, of one name the last first; NULL: not yet */
	size_t count, room, name_bytes;
	int *opened;      /* descriptors of a directory's blobs */
	size_t opened_count;
};

/* Opens PATH. Returns 0, or -1 with a failure. */
int archive_open(struct archive *, const char *path);

/* As compression_find, of the archive's first bytes: the failure names it. */
int archive_packing(const struct archive *, const unsigned char *head, size_t size,
		    enum compression *);

struct spool_options {
	const char *store; /* that WORK is in: for messages; borrowed */
	uint64_t window;   /* bytes that zstd and xz may ask to remember */
	int quiet;
};

/* Unpacks what is packed into a file without a name in WORK. */
int archive_spool(struct archive *, const struct work *, const struct spool_options *);

/*
 * Reads the index of what isn't packed any more: its members. What is said of it names the
 * archive.
 */
int archive_index(struct archive *);

void archive_close(struct archive *);

/* Opens a file of a directory. Returns it; -ENOENT: there is none; -1 with a failure. */
int archive_open_beneath(const struct archive *, const char *name);

/*
 * Finds a file by its name; links in the archive are followed inside it. Returns 1; 0: there is
 * none; -1 with a failure. The blob is good until archive_close.
 */
int archive_find(struct archive *, const char *name, struct blob *);

/* As archive_find, and reads it whole, at most JSON_BYTES; NUL behind; the caller's to free. */
int archive_read(struct archive *, const char *name, char **text, size_t *size);

#endif

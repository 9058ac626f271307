/*
 * What an index was made of: so that it is known for outdated, without reading its archive.
 *
 *	archive PATH
 *	image HEX               digest of the config
 *	index HEX               digest of tree.erofs
 *	document DEVICE INODE SIZE MTIME CTIME PATH     a directory's index.json or manifest.json
 *	layer DEVICE INODE SIZE MTIME CTIME PATH        a file that layers are in: the archive
 */
#ifndef ROOTFS_STORE_SEALS_H
#define ROOTFS_STORE_SEALS_H

#include <stddef.h>

#include "rootfs/base/sha256.h"

struct seals {
	char *text; /* lines, each with its newline; owned */
	size_t size;
};

/* Each appends a line. They return 0, or -1 with a failure. */
int seals_add(struct seals *, const char *word, const char *value);
/* KIND: "document" or "layer". */
int seals_add_file(struct seals *, const char *kind, int file);

/* Reads DIR/seals. Returns 1; 0: there is none; -1 with a failure. */
int seals_read(struct seals *, int dir);

/* The value of the line that begins with WORD, the caller's to free; NULL: there is none. */
char *seals_get(const struct seals *, const char *word);

/*
 * Opens every file that is named and compares. Returns 1 where all are what they were; 0 where one isn't;
 * -1 with a failure. The layers' descriptors are added to FILES, which may be NULL; the caller's.
 */
int seals_check(const struct seals *, int **files, size_t *count);

#endif

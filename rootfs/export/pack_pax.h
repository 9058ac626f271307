/* Headers of a tar archive: ustar's, and pax records for what does not fit in. */
#ifndef ROOTFS_EXPORT_PACK_PAX_H
#define ROOTFS_EXPORT_PACK_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { PAX_BYTES = 256 << 10 };

struct tar_entry {
	const char *name, *link;
	char type;
	unsigned mode, uid, gid, major, minor;
	uint64_t size;
	struct timespec mtime;
	int attributes_of; /* an open file whose attributes go with it; -1: none */
	const char *sparse_name; /* it has holes, and this name; NULL: NAME is its name */
	uint64_t sparse_size;    /* with its holes; SIZE is that of map and data */
};

struct pax {
	size_t size;
	char text[PAX_BYTES];
};

/* The records that ENTRY needs. Returns 0; -1: they don't fit. */
int pax_collect(struct pax *, const struct tar_entry *);

/* True where FILE has that attribute. */
bool pax_has(int file, const char *attribute);

/* The ustar header, with as much as fits: pax records say the rest. */
void tar_header(unsigned char block[512], const struct tar_entry *);

#endif

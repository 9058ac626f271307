/*
 * Writes an EROFS image that holds names and metadata; the data of files lie in other files, its
 * devices (Linux 5.16; mounted without block devices since 6.12). In blocks of 512 bytes, as a tar
 * archive has them. The format: the kernel's Documentation/filesystems/erofs.rst and
 * fs/erofs/erofs_fs.h, which is Apache-2.0, too.
 */
#ifndef ROOTFS_INDEX_EROFS_H
#define ROOTFS_INDEX_EROFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "rootfs/base/sha256.h"

enum { EROFS_BLOCK = 512, EROFS_DEVICES = 4096 };

struct erofs_name {
	char *name;    /* owned */
	uint32_t node;
};

enum erofs_data {
	EROFS_EMPTY,
	EROFS_TEXT,      /* a symbolic link: TEXT, SIZE bytes */
	EROFS_DIRECTORY, /* NAMES, "." and ".." among them, sorted by their bytes */
	EROFS_DEVICE,    /* SIZE bytes of device DEVICE, from PLACE on, a multiple of EROFS_BLOCK */
	EROFS_COPY,      /* the file TEXT, which may have holes */
};

struct erofs_node {
	mode_t mode;
	uint32_t uid, gid, links;
	dev_t device_number;
	struct timespec time;
	uint64_t size;
	unsigned char *attributes; /* as erofs_attribute has made them; owned */
	size_t attributes_size;
	enum erofs_data data;
	uint64_t place;
	uint32_t device;
	char *text;                /* owned */
	struct erofs_name *names;  /* owned */
	uint32_t name_count;
	uint32_t at, block;        /* where it lies, the writer's: in units of 32 bytes, in blocks */
};

struct erofs {
	struct erofs_node *nodes;  /* 0: the root */
	uint32_t count, room;
	uint64_t devices[EROFS_DEVICES]; /* bytes of each */
	uint32_t device_count;
	uint64_t size;             /* of all but what is copied, the writer's */
	uint64_t need;             /* bytes of a disk that it takes at least: erofs_place */
	int copied;                /* directory that the names of EROFS_COPY are in; borrowed */
};

/* Appends an empty node; returns its number, or -1 with a failure. */
int64_t erofs_add(struct erofs *);

/*
 * Appends an extended attribute; those that the format has no place for are left out. Returns 0, or -1
 * with a failure.
 */
int erofs_add_attribute(struct erofs_node *, const char *name, const void *value, size_t size);

/* When it has all nodes: lays it out, and says what it needs. Returns 0, or -1 with a failure. */
int erofs_place(struct erofs *);

/* Writes it, as it is laid out, into FILE, which is empty. Returns 0, or -1 with a failure. */
int erofs_write(struct erofs *, int file);

void erofs_free(struct erofs *);

#endif

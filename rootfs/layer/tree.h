/*
 * Writes one layer's tree. Every entry may have been made by an attacker: nothing is written but
 * through descriptors beneath the layer's root, and lower layers are never looked at.
 */
#ifndef ROOTFS_LAYER_TREE_H
#define ROOTFS_LAYER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "rootfs/layer/left_out.h"
#include "rootfs/layer/path.h"
#include "rootfs/base/sha256.h"

/* What an archive says of an entry. Its pointers are good until the next one. */
struct entry {
	mode_t mode; /* with its type */
	uint64_t uid, gid;
	int64_t size;
	bool whole; /* all of its data are stored: they are its size, whatever else is stated */
	struct timespec times[2]; /* access, modification */
	uint32_t major, minor;
	bool hard_link;
	const char *path, *link;
	size_t path_size, link_size;
	const unsigned char *attributes; /* struct attribute_record each, rootfs/decode/decoder.h */
	size_t attributes_size;
};

/* What has been found out about the layer. */
struct findings {
	uint64_t entries; /* as many as the archive has */
	uint64_t bytes;   /* of data written */
	uint64_t disk;    /* about as many bytes of a disk, in blocks of 4 KiB */
	uint64_t names;   /* in the finished tree, its root left out */
	uint64_t content; /* bytes of its files, each counted once: what a disk that forgot would lack */
	uint64_t sum;     /* checksum_of() what was written into its files */
	bool replaced;    /* some of that is not there any more: the sum says nothing */
	struct digest diff_id; /* of the stream, as it was found */
	struct left_out left_out;
	bool has_root;    /* it has an entry for its root */
	bool opaque_root; /* it hides all layers below it */
	bool implied;     /* what it is depends on the layers below it (IMAGES.md rules 12 and 16) */
	bool whiteouts;   /* some lie below its root, and may be of nothing there */
};

/* A directory on the way to where we write. */
struct level {
	int dir;
	struct timespec times[2]; /* writing in it changes them: set when it is left, rule 21 */
	int hidden; /* it or one above it is opaque: 1, 0; -1: nobody has looked */
};

struct blob;

/* uint64_t, this machine's order: the data of a file that isn't written begin there in its archive. */
#define TREE_PLACE "trusted.wherry.place"

struct tree {
	struct level levels[PATH_DEPTH + 1]; /* 0: the root, borrowed */
	int depth;           /* how many are open beside the root */
	struct path open;    /* their names */
	bool stale;          /* what is open may not be what its name says any more */
	bool recount;        /* a name went again, or a link was followed: a census finds what is left,
				and how deep */
	const char *opaque;  /* overlayfs' name of the attribute that makes a directory opaque */
	bool in_namespace;   /* a user namespace: no device nodes (rule 22) */
	int implied;         /* file for the names of implied directories, NUL behind each: "2/a/b/c" for a/b and
				a/b/c; borrowed */
	uint64_t implied_bytes; /* of it */
	uint32_t followed;   /* names that led through a symbolic link */
	uint64_t need;       /* of a disk, by all layers of the load at least: for messages */
	struct findings found;
	struct path path;    /* of the entry at hand */
	/*
	 * Where the archive keeps the data of files, and they stay there: a file has its size, and its
	 * place in TREE_PLACE. NULL: they are written. Borrowed, set after tree_open.
	 */
	const struct blob *blob;
	uint64_t from, run;  /* of the file at hand: RUN bytes, its first, are one after the other at FROM
				of the blob */
	/* The regular file that is being written; -1: none. */
	int file;
	int64_t next;        /* where in it data may go on */
	struct entry entry;  /* its metadata, with attributes of its own */
	unsigned char *kept; /* these */
};

/* ROOT: an empty directory. Returns 0, or -1 with a failure; so do all of them. */
int tree_open(struct tree *, int root, int implied);
int tree_add(struct tree *, const struct entry *);
/* Data of the file that was added last; those of anything else are ignored. */
int tree_data(struct tree *, int64_t offset, const void *data, size_t size);
/*
 * The same, SIZE bytes that are at FROM of the blob. Only what is not one run there, from a multiple of
 * 512 of the archive on, is written after all: a file with holes.
 */
int tree_place(struct tree *, int64_t offset, uint64_t from, size_t size);
/* All is there: sets what must be set last. */
int tree_finish(struct tree *);
void tree_close(struct tree *);

/* Used among the files that write it. */

/* Opens the first DEPTH directories of PATH, makes what is missing; returns the last, borrowed. */
int tree_enter(struct tree *, const struct path *, int depth);
/*
 * DIR, which is taken over, is what the first components of PATH lead to, one more than are open; it
 * gets TIMES when it is left.
 */
void tree_push(struct tree *, int dir, const struct path *, const struct timespec times[2]);
/* Leaves all levels below DEPTH. */
int tree_leave(struct tree *, int depth);
/* Removes what is at NAME of this layer. */
int tree_clear(struct tree *, int dir, const char *name);
int tree_add_whiteout(struct tree *, int dir, const char *name);
int tree_make_opaque(struct tree *, int dir);
/* True for a 0/0 character device. */
struct stat;
bool tree_is_whiteout(const struct stat *);
/* Ends a file whose data, or the first of them, are a run of the blob. Leaves RUN 0 where they were written. */
int tree_end_run(struct tree *);
int tree_add_link(struct tree *, const struct entry *, int dir, const char *name);
/* Owner, mode and attributes, in that order, then times (rule 20); FILE is any but a symbolic link. */
int tree_set_metadata(struct tree *, int file, const struct entry *);
int tree_set_times(struct tree *, int file, const struct entry *);
/* Records the failure with the entry's name; errno says why where WHY ends an attempt. */
int tree_fail(const struct tree *, const char *why);
int tree_failx(const struct tree *, const char *why);

#endif

/*
 * A layer's tree while it is written: the directories on the way to an entry are open, one level each, from the
 * layer's root on. A tar archive names neighbours one after the other, so most of them stay open for the next
 * one. Who writes what stands in entry.h, on top of data.h, link.h, walk.h, whiteout.h and metadata.h.
 *
 * Every entry may have been made by an attacker: nothing is written but through descriptors beneath the layer's
 * root, and lower layers are never looked at.
 */
#ifndef ROOTFS_LAYER_TREE_H
#define ROOTFS_LAYER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "rootfs/layer/findings.h"
#include "rootfs/layer/path.h"

/* What an archive says of an entry. Its pointers are good until the next one. */
struct entry {
	mode_t mode; /* with its type */
	uint64_t uid, gid;
	int64_t size;
	bool whole; /* all of its data are stored: it is no longer than they are, whatever is stated */
	struct timespec times[2]; /* access, modification */
	uint32_t major, minor;
	bool hard_link;
	const char *path, *link;
	size_t path_size, link_size;
	const unsigned char *attributes; /* struct attribute_record each, rootfs/decode/decoder.h */
	size_t attributes_size;
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

/* ROOT: an empty directory; IMPLIED: see above. Returns 0, or -1 with a failure. */
int tree_open(struct tree *, int root, int implied);
void tree_close(struct tree *);

/*
 * DIR, which is taken over, is what the first components of PATH lead to, one more than are open; it
 * gets TIMES when it is left.
 */
void tree_push(struct tree *, int dir, const struct path *path, const struct timespec times[2]);
/* Leaves all levels below DEPTH. Returns 0, or -1 with a failure. */
int tree_leave(struct tree *, int depth);

/* Records the failure with the entry's name; errno says why where WHY ends an attempt. Return -1. */
int tree_fail(const struct tree *, const char *why);
int tree_failx(const struct tree *, const char *why);

#endif

/* Files that have several names, by device and inode: what was noted at the first name they were met by. */
#ifndef ROOTFS_LAYER_LINKS_H
#define ROOTFS_LAYER_LINKS_H

#include <stddef.h>
#include <sys/stat.h>

struct linked;

/* 0: none. */
struct links {
	struct linked *places; /* ROOM of them, a power of two, at most three quarters of them used */
	size_t count, room;
};

/* Returns what was noted of that file; NULL: nothing. */
void *links_find(const struct links *, const struct stat *);

/* NOTE, never NULL, of a file of which nothing is noted. Returns 0, or -1 with errno, no failure recorded. */
int links_add(struct links *, const struct stat *, void *note);

/* FORGET gets each note; NULL: nothing is done with them. */
void links_free(struct links *, void (*forget)(void *));

#endif

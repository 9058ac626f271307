/* Extended attributes that a file of an image may have (IMAGES.md rule 19). */
#ifndef ROOTFS_LAYER_ATTRIBUTES_H
#define ROOTFS_LAYER_ATTRIBUTES_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * trusted.overlay.* or user.overlay.* out of an archive would show files that the image has
 * deleted, or hide others; a security module's labels are the host's own. The capabilities of a
 * program and its user's notes stay.
 */
bool attributes_is_kept(const char *name);

/*
 * The names of an open file's attributes, a NUL behind each, good until the next call. Returns how
 * many bytes they are, 0 also where its file system has none; -1 with errno.
 */
ssize_t attributes_list(int file, const char **names);

/* Gives TO, a directory, those of FROM that are kept. Returns 0, or -1 with errno. */
int attributes_copy(int from, int to);

#endif

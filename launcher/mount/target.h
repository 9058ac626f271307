/* The place in a root file system where something is to be put. */
#ifndef LAUNCHER_MOUNT_TARGET_H
#define LAUNCHER_MOUNT_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * Finds PATH beneath ROOT, and makes the directories on the way. The image's author may have put links there:
 * all are followed, also those that lead to nothing yet, and never out of ROOT. Returns a descriptor, O_PATH: with a
 * NAME of NAME_MAX + 1 bytes the directory in which that is to be made; with "" what is there already; -1 with
 * errno.
 */
int target_find(int root, const char *path, char *name);

/*
 * Opens PATH, O_PATH, in the process's own root, made with its parents where it isn't there: a DIRECTORY or an
 * empty file. RESOLVE: openat2(2)'s RESOLVE_NO_SYMLINKS, or 0. *THERE becomes what fstat(2) says of it. Returns the
 * descriptor, or -1 with a failure.
 */
int target_open(const char *path, bool directory, uint64_t resolve, struct stat *there);

/* The same, following links, of what needs only be there. Returns 0, or -1 with a failure. */
int target_make(const char *path, bool directory);

#endif

/* Paths as the user wrote them. */
#ifndef ROOTFS_BASE_PATHS_H
#define ROOTFS_BASE_PATHS_H

#include <stdbool.h>

/* Whether WORD is a path in every command, never a name: "/…", "./…", "../…", "." and "..". */
bool path_is_one(const char *word);

/* PATH itself, or behind the working directory where it is relative. The caller's; NULL with a failure. */
char *path_absolute(const char *path);

/*
 * The same without ".", ".." and empty parts, by the words alone: "/none/../x" is "/x", also where there is
 * no /none, and where that is a link. As docker reads the sources of its volumes.
 */
char *path_clean(const char *path);

/*
 * A word that names a file, or one image in it: "./layout:1.2". Where there is no file of the whole word, but
 * one of what stands before a colon, REF gets what stands behind it, in WORD; else NULL. Returns the file's
 * name, the caller's to free; NULL with a failure.
 */
char *path_split(const char *word, const char **ref);

/*
 * As fail(), of "WHAT PATH". Where the kernel says that something is not a directory, the part of PATH that isn't
 * one is named: "WHAT /a/file/b: /a/file is not a directory". Returns -1.
 */
int path_fail(const char *what, const char *path);

#endif

/*
 * What a person means by IMAGE, in every command: a path (path_is_one); else a name of the store ("busybox",
 * "library/busybox:1.36", "@sha256:…", an unambiguous prefix of an image ID); else a file of that name.
 */
#ifndef ROOTFS_LOAD_FIND_H
#define ROOTFS_LOAD_FIND_H

#include "rootfs/load/loader.h"

/* Whether the store has it by a name. Returns 1; 0: not, or WORD is a path; -1 with a failure. */
int image_find_named(const struct store *, const char *word, struct digest *id);

/* Loads the file WORD, which costs reading its index only where the store has it already. It must hold one image. */
int image_find_file(struct store *, const char *word, const struct load_options *, struct digest *id);

#endif

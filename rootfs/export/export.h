/* An image of the store as a file that others read, and a root file system as an image. */
#ifndef ROOTFS_EXPORT_EXPORT_H
#define ROOTFS_EXPORT_EXPORT_H

#include "rootfs/store/image.h"
#include "rootfs/store/store.h"

/*
 * Writes the images that TEXTS, ended by a NULL, name as one archive, an OCI layout and docker's manifest.json, to FILE,
 * which is replaced when all is written; NULL: to standard output.
 * Its layers are made from what lies in the store, so that their digests, and with them the
 * image's ID, are other than those it was loaded with. Returns 0, or -1 with a failure.
 */
int image_save(struct store *, char **texts, const char *file);

/* Makes an image of one layer called NAME from a tar archive or a directory. ID is its own. */
int image_import(struct store *, const char *path, const char *name, uint64_t window,
		 struct digest *id);

#endif

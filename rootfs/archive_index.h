/* An archive's index, read by a decoder: only names, sizes and places come back. */
#ifndef ROOTFS_ARCHIVE_INDEX_H
#define ROOTFS_ARCHIVE_INDEX_H

#include "rootfs/archive.h"

/* Fills in the archive's members. Returns 0, or -1 with a failure that names the archive. */
int archive_index(struct archive *);

#endif

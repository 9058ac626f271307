/* The documents of OCI layouts, from index.json on. */
#ifndef ROOTFS_ARCHIVE_PLAN_INDEX_H
#define ROOTFS_ARCHIVE_PLAN_INDEX_H

#include "rootfs/archive/plan_private.h"

int plan_read_index(struct plan_reader *);

#endif

/* What a tree holds, counted: enough to see that a disk has forgotten some of it. */
#ifndef ROOTFS_CENSUS_H
#define ROOTFS_CENSUS_H

#include <stdint.h>

/*
 * Counts the names beneath ROOT and the bytes of its files, those of a file with several names
 * divided among them. Times are not changed. Returns 0; -1 with errno, no failure recorded:
 * ENAMETOOLONG where it is more than PATH_DEPTH directories deep.
 */
int census_take(int root, uint64_t *names, uint64_t *content);

#endif

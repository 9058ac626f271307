/* Whether there is room on a disk for what is about to be extracted (IMAGES.md rules 6 and 26). */
#ifndef ROOTFS_STORE_ROOM_H
#define ROOTFS_STORE_ROOM_H

#include <stdint.h>

#include "rootfs/base/blob.h"

/*
 * Bytes of a disk that a layer takes at least, by its blob's size and, where it is gzip's, by the
 * length that its end states (RFC 1952, 2.3.1). Never more than it takes if that is true; 0 where
 * it can't be read.
 */
uint64_t room_least(const struct blob *);

/*
 * NEED bytes must fit on the file system of DIR. Returns 0, also where that isn't known: one that
 * compresses may take more than it has free. -1 with a failure about PATH, which says WHAT of it
 * needs them ("its layers need") and calls the place STORE.
 */
int room_check(int dir, uint64_t need, const char *path, const char *what, const char *store);

/*
 * Where errno says that a disk is full, hints at what is known of what was to be unpacked there, of
 * which WRITTEN bytes had been written: how long it is, it doesn't say itself. errno stays.
 */
void room_hint(uint64_t written);

/* Likewise, where it is known that WHAT ("the index") needs at least NEED bytes. */
void room_hint_need(const char *what, uint64_t need);

#endif

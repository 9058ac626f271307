/* How far a load has got: one line that changes on a terminal, one every five seconds elsewhere. */
#ifndef ROOTFS_ARCHIVE_PROGRESS_H
#define ROOTFS_ARCHIVE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress;

/*
 * For LAYERS layers of BYTES together; 0 layers: for an archive of BYTES, 0 where nobody knows, that
 * is unpacked first. NULL, which the others accept, where QUIET or out of memory.
 */
struct progress *progress_create(int layers, uint64_t bytes, bool quiet);
void progress_destroy(struct progress *);

/* The counter of the next layer's bytes, shared with the process that will count them. */
_Atomic uint64_t *progress_add(struct progress *);

/* So much more of an archive has been read: shows that where it's time. */
void progress_read(struct progress *, size_t);

/*
 * In the process that counts: those that it starts get none of the counters, which a decoder could write to
 * otherwise. Returns 0, or -1 with a failure.
 */
int progress_guard(struct progress *);

/* A layer is there. */
void progress_layer(struct progress *);

/* Shows it anew where it's time; how many milliseconds to wait until the next time, -1: none. */
void progress_show(struct progress *);
int progress_interval(const struct progress *);

#endif

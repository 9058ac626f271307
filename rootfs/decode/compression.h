/* What a file is compressed with, by its first bytes (IMAGES.md rule 4), and what a decompressor of it takes. */
#ifndef ROOTFS_DECODE_COMPRESSION_H
#define ROOTFS_DECODE_COMPRESSION_H

#include <stddef.h>
#include <stdint.h>

enum compression { PLAIN, GZIP, ZSTD, XZ };

/* Bytes that zstd and xz may ask to remember, by default: what zstd -19 needs, RFC 8878's recommendation. */
#define DECODER_WINDOW (8u << 20)

/*
 * What the first bytes of a file say of its compression.
 * Returns -1 with a failure for one that we don't have.
 */
int compression_find(const unsigned char *data, size_t size, enum compression *);

/*
 * Bytes that a decompressor of such a file will take to remember what was, as its first bytes
 * state it; an estimate: the decoder's limits are what holds.
 */
uint64_t compression_memory(const unsigned char *data, size_t size, enum compression);

#endif

/*
 * A checksum of files' contents against what flash forgets, not against who writes there.
 *
 * It is the sum over all words of 8 bytes of the word times a number made from its place, modulo
 * 2^64. That number is odd, so that a change within one word is seen always, any other but once in
 * about 2^60. Zeros add nothing: a hole is as good as what it stands for. Pieces of any length add
 * up in any order: an extraction takes 2 to 3 % more processor time for it.
 */
#ifndef ROOTFS_LAYER_CHECKSUM_H
#define ROOTFS_LAYER_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Of SIZE bytes that lie AT bytes into their file. */
uint64_t checksum_of(uint64_t at, const void *data, size_t size);

#endif

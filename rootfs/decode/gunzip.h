/*
 * The members of a gzip file (RFC 1952), by zlib or, on x86-64, by ISA-L: the Makefile picks one of
 * gunzip_*.c. What is wrong with a header or a trailer both say in the same words; of damage within the
 * data zlib tells more.
 */
#ifndef ROOTFS_DECODE_GUNZIP_H
#define ROOTFS_DECODE_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>

/* One step goes from IN to OUT and moves both on. */
struct buffer {
	const unsigned char *in;
	size_t in_size;
	unsigned char *out;
	size_t out_size;
};

/* The caller's, for good: nobody frees it, the decoder ends with its one stream. NULL: no memory. */
struct gunzip *gunzip_new(void);

/*
 * Decompresses as much as there is input or room for. ENDED: a member is complete, its checksum and
 * length are right, and the next byte of IN begins another one or is none of gzip's. The step after
 * that begins the next member. Input may end anywhere: what a call with none leaves unfinished is
 * truncated. Returns NULL, or what is wrong with the member.
 */
const char *gunzip_step(struct gunzip *, struct buffer *, bool *ended);

#endif

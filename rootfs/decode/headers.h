/*
 * A layer's tar headers on their way to libarchive, which reads two things otherwise than GNU tar and Go
 * do: digits in the fields of sparse files also where the type says that the file is none (a file is then
 * longer than a scanner saw it), and of two pax headers before one entry the last alone. Such headers are
 * handed on as copies without the digits, and as one pax header of the same length.
 */
#ifndef ROOTFS_DECODE_HEADERS_H
#define ROOTFS_DECODE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of the stream. */
struct span {
	const unsigned char *data;
	size_t size;
};

struct headers {
	uint64_t next;     /* of the stream: where the next header begins */
	uint64_t size;     /* that a pax header stated for the entry to come; NO_SIZE: none did */
	bool extended;     /* the next block goes on with a sparse file's map, and its data of SIZE follow */
	bool ended;        /* no more headers are expected */
};

/* Before the first byte. */
void headers_init(struct headers *);

/* How much of SPAN, at AT of the stream, can be handed on as it is; 0: its first header must be gathered. */
size_t headers_pass(struct headers *, struct span span, uint64_t at);

/*
 * The headers that begin where headers_pass stopped are gathered in a buffer, GOT bytes so far. Returns how
 * many bytes are wanted together: GOT of them means that all are there, and have been rewritten; more than
 * HEADERS_MAX: there are too many.
 */
enum { HEADERS_MAX = (1 << 20) + (64 << 10) };
size_t headers_gather(struct headers *, unsigned char *buffer, size_t got);

/* Whether the block is an ordinary entry's, and states the real size or the map of a sparse one all the same. */
bool headers_are_odd(const unsigned char *block);

/* Whether a block of 512 bytes is a header by its checksum; whether it is zeros, as an archive's end. */
bool headers_have_checksum(const unsigned char *block);
bool headers_are_zero(const unsigned char *block);

#endif

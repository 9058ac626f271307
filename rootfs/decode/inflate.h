/* Decompressors: input of a channel in, pieces of the plain stream out. Only in the decoder. */
#ifndef ROOTFS_DECODE_INFLATE_H
#define ROOTFS_DECODE_INFLATE_H

#include "rootfs/decode/channel.h"
#include "rootfs/decode/compression.h"

struct inflater {
	struct channel *channel;
	enum compression compression;
	uint64_t window;
	uint64_t taken; /* bytes of input */
	void *state;    /* the library's */
	bool between;   /* no member or frame is open: the input may end here */
	bool padding;   /* only zeros may follow (gzip) */
};

/* Returns 0, or -1 after sending RECORD_FAILED. */
int inflater_open(struct inflater *);

/*
 * Decompresses to DATA, at most SIZE bytes; MADE less than that: the stream ends. The whole input
 * has been checked then: checksums, lengths, nothing left over (IMAGES.md rule 5). Returns as
 * inflater_open.
 */
int inflater_read(struct inflater *, unsigned char *data, size_t size, size_t *made);

#endif

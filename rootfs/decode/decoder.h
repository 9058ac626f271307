/*
 * The decoder: a process that can do nothing but compute. It gets compressed bytes and gives back
 * a stream of entries. Decompressors and the tar reader run there and nowhere else; what it says
 * is checked by its parent as if an attacker had written it.
 */
#ifndef ROOTFS_DECODE_DECODER_H
#define ROOTFS_DECODE_DECODER_H

#include <stdint.h>
#include <sys/types.h>

#include "rootfs/decode/channel.h"
#include "rootfs/decode/compression.h"

enum decoder_job {
	DECODE_LAYER,  /* a layer: entries and their data */
	DECODE_INDEX,  /* an archive, by RECORD_WANT: entries, and where their data are */
	DECODE_STREAM, /* only decompress */
};

struct decoder_task {
	enum decoder_job job;
	enum compression compression;
	uint64_t window; /* bytes that zstd and xz may ask to remember */
};

struct decoder {
	struct channel channel;
	pid_t pid; /* 0: none */
	int pidfd; /* -1: the kernel has none */
};

/* Starts it. Returns 0, or -1 with a failure. */
int decoder_start(struct decoder *, const struct decoder_task *);

/* Sleeps until the decoder has something; -1 with a failure where it is dead. */
int decoder_wait(struct decoder *);

/* Kills and reaps it, frees the channel. May be called twice. */
void decoder_stop(struct decoder *);

#endif

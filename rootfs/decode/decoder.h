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

enum compression { PLAIN, GZIP, ZSTD, XZ };

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

/* Default of decoder_task.window: what zstd -19 needs, RFC 8878's recommendation. */
#define DECODER_WINDOW (8u << 20)

struct decoder {
	struct channel channel;
	pid_t pid; /* 0: none */
	int pidfd; /* -1: the kernel has none */
};

/* What an archive says of one entry, on the channel; followed by path, link and attributes. */
struct entry_record {
	uint64_t position; /* where its data begin in the stream (layer) or file (index) */
	int64_t size, mtime, atime;
	uint64_t uid, gid;
	uint32_t mtime_ns, atime_ns;
	uint32_t mode; /* with its type */
	uint32_t major, minor;
	uint32_t hard_link, has_atime;
	uint32_t sparse; /* what is stored are pieces of it */
	uint32_t path_size, link_size, attributes_size; /* without NULs */
};

struct attribute_record {
	uint32_t name_size, value_size; /* name, value */
};

/* SIZE bytes at STREAM of the stream belong at FILE of the file. */
struct data_record {
	uint64_t stream, file, size;
};

/* Starts it. Returns 0, or -1 with a failure. */
int decoder_start(struct decoder *, const struct decoder_task *);

/* Sleeps until the decoder has something; -1 with a failure where it is dead. */
int decoder_wait(struct decoder *);

/* Kills and reaps it, frees the channel. May be called twice. */
void decoder_stop(struct decoder *);

/*
 * What the first bytes of a file say of its compression (IMAGES.md rule 4: by magic bytes).
 * Returns -1 with a failure for one that we don't have.
 */
int compression_find(const unsigned char *data, size_t size, enum compression *);

/*
 * Bytes that a decompressor of such a file will take to remember what was, as its first bytes
 * state it; an estimate: the decoder's limits are what holds.
 */
uint64_t compression_memory(const unsigned char *data, size_t size, enum compression);

/* The child's own. They return 0, or -1 after sending RECORD_FAILED. */
struct inflater;
int untar_layer(struct channel *, struct inflater *);
int untar_index(struct channel *);
int decoder_run(struct channel *, const struct decoder_task *);

/* Sends why the decoder gives up. Returns -1. */
int decoder_fail(struct channel *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

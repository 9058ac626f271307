#include "rootfs/decode/inflate.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "rootfs/decode/gunzip.h"

enum { IDLE_STEPS = 8 };

static int step_plain(struct inflater *inflater, struct buffer *b)
{
	(void)inflater;
	size_t n = b->in_size < b->out_size ? b->in_size : b->out_size;
	memcpy(b->out, b->in, n);
	b->in += n, b->in_size -= n;
	b->out += n, b->out_size -= n;
	return 0;
}

/*
 * gzip(1) itself lets zeros follow the last member, for tapes and disks: so do we, and nothing
 * else.
 */
static int check_padding(struct inflater *inflater, struct buffer *b)
{
	for (; b->in_size; b->in++, b->in_size--)
		if (*b->in)
			return channel_fail(inflater->channel,
					    "gzip: there is garbage behind its end");
	return 0;
}

static int step_gzip(struct inflater *inflater, struct buffer *b)
{
	if (inflater->between && inflater->taken && *b->in == 0)
		inflater->padding = true;
	if (inflater->padding || (inflater->between && inflater->taken && *b->in != 0x1f))
		return check_padding(inflater, b);
	const char *wrong = gunzip_step(inflater->state, b, &inflater->between);
	return wrong ? channel_fail(inflater->channel, "gzip: %s", wrong) : 0;
}

static int step_zstd(struct inflater *inflater, struct buffer *b)
{
	ZSTD_inBuffer in = { b->in, b->in_size, 0 };
	ZSTD_outBuffer out = { b->out, b->out_size, 0 };
	size_t left = ZSTD_decompressStream(inflater->state, &out, &in);
	if (ZSTD_isError(left)) {
		if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
			return channel_fail(inflater->channel,
					    "zstd: it needs a window of more than %llu MiB (see --window)",
					    (unsigned long long)inflater->window >> 20);
		return channel_fail(inflater->channel, "zstd: %s", ZSTD_getErrorName(left));
	}
	inflater->between = left == 0;
	b->in += in.pos, b->in_size -= in.pos;
	b->out += out.pos, b->out_size -= out.pos;
	return 0;
}

static int step_xz(struct inflater *inflater, struct buffer *b)
{
	lzma_stream *xz = inflater->state;
	lzma_action action = b->in_size ? LZMA_RUN : LZMA_FINISH;
	xz->next_in = b->in;
	xz->avail_in = b->in_size;
	xz->next_out = b->out;
	xz->avail_out = b->out_size;
	lzma_ret result = lzma_code(xz, action);
	b->in = xz->next_in, b->in_size = xz->avail_in;
	b->out = xz->next_out, b->out_size = xz->avail_out;
	if (result == LZMA_STREAM_END)
		inflater->between = true;
	else if (result == LZMA_MEMLIMIT_ERROR)
		return channel_fail(inflater->channel,
				    "xz: it needs more memory than a window of %llu MiB (see --window)",
				    (unsigned long long)inflater->window >> 20);
	else if (result != LZMA_OK && result != LZMA_BUF_ERROR)
		return channel_fail(inflater->channel, "xz: it is damaged");
	return 0;
}

static int open_gzip(struct inflater *inflater)
{
	inflater->state = gunzip_new();
	return inflater->state ? 0 : -1;
}

static int open_zstd(struct inflater *inflater)
{
	ZSTD_DStream *zstd = ZSTD_createDStream();
	const ZSTD_bounds bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
	int bits = 63 - __builtin_clzll(inflater->window);
	/* 0 would mean zstd's own limit, 128 MiB. */
	if (bits < bounds.lowerBound)
		bits = bounds.lowerBound;
	if (bits > bounds.upperBound)
		bits = bounds.upperBound;
	inflater->state = zstd;
	return zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, bits)) ? 0
											      : -1;
}

/* liblzma's decoder takes its dictionary and a little more. */
static int open_xz(struct inflater *inflater)
{
	lzma_stream *xz = calloc(1, sizeof(*xz));
	inflater->state = xz;
	uint64_t limit = inflater->window + (2 << 20);
	return xz && lzma_stream_decoder(xz, limit, LZMA_CONCATENATED) == LZMA_OK ? 0 : -1;
}

static int open_plain(struct inflater *inflater)
{
	inflater->between = true;
	return 0;
}

static const struct {
	const char *name;
	int (*open)(struct inflater *);
	int (*step)(struct inflater *, struct buffer *);
} kinds[] = {
	[PLAIN] = { "plain", open_plain, step_plain },
	[GZIP] = { "gzip", open_gzip, step_gzip },
	[ZSTD] = { "zstd", open_zstd, step_zstd },
	[XZ] = { "xz", open_xz, step_xz },
};

int inflater_open(struct inflater *inflater)
{
	if (kinds[inflater->compression].open(inflater) < 0)
		return channel_fail(inflater->channel, "%s: there is no memory to decompress it",
				    kinds[inflater->compression].name);
	return 0;
}

/*
 * The input has ended. A library may still hold output (zstd, xz); where nothing comes any more
 * it must be whole.
 */
static int at_end(struct inflater *inflater, struct buffer *b, bool *ended)
{
	size_t before = b->out_size;
	if (!inflater->between && inflater->compression != PLAIN &&
	    kinds[inflater->compression].step(inflater, b) < 0)
		return -1;
	*ended = b->out_size == before;
	if (*ended && !inflater->between)
		return channel_fail(inflater->channel, "%s: it is truncated",
				    kinds[inflater->compression].name);
	return 0;
}

/*
 * A library may need a step for itself; where input and room are no help, more of them would be for
 * ever.
 */
static int get_on(struct inflater *inflater, struct buffer *b, int *idle)
{
	size_t in_size = b->in_size, out_size = b->out_size;
	if (kinds[inflater->compression].step(inflater, b) < 0)
		return -1;
	*idle = b->in_size == in_size && b->out_size == out_size ? *idle + 1 : 0;
	if (*idle < IDLE_STEPS)
		return 0;
	return channel_fail(inflater->channel, "%s: it is damaged: nothing comes of it any more",
			    kinds[inflater->compression].name);
}

int inflater_read(struct inflater *inflater, unsigned char *data, size_t size, size_t *made)
{
	struct buffer b = { .out = data, .out_size = size };
	bool ended = false;
	int idle = 0;
	while (b.out_size && !ended) {
		b.in_size = channel_take(inflater->channel, inflater->taken, &b.in);
		size_t before = b.in_size;
		if (!before && at_end(inflater, &b, &ended) < 0)
			return -1;
		if (before && get_on(inflater, &b, &idle) < 0)
			return -1;
		inflater->taken += before - b.in_size;
		if (before != b.in_size)
			channel_taken(inflater->channel, inflater->taken);
	}
	*made = size - b.out_size;
	return 0;
}

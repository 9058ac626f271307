#include "rootfs/decode/gunzip.h"

#include <stdlib.h>
#include <zlib.h>

struct gunzip {
	z_stream z;
	bool ended;
};

struct gunzip *gunzip_new(void)
{
	struct gunzip *gunzip = calloc(1, sizeof(*gunzip));
	return gunzip && inflateInit2(&gunzip->z, 15 + 16) == Z_OK ? gunzip : NULL;
}

const char *gunzip_step(struct gunzip *gunzip, struct buffer *b, bool *ended)
{
	z_stream *z = &gunzip->z;
	if (gunzip->ended && inflateReset(z) != Z_OK)
		return "it can't go on";
	z->next_in = (unsigned char *)b->in;
	z->avail_in = b->in_size;
	z->next_out = b->out;
	z->avail_out = b->out_size;
	int result = inflate(z, Z_NO_FLUSH);
	b->in = z->next_in, b->in_size = z->avail_in;
	b->out = z->next_out, b->out_size = z->avail_out;
	gunzip->ended = *ended = result == Z_STREAM_END;
	if (result == Z_STREAM_END || result == Z_OK || result == Z_BUF_ERROR)
		return NULL;
	return z->msg ? z->msg : "it is damaged";
}

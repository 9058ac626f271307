/*
 * ISA-L decodes the deflate stream alone. Header and trailer are read here, a byte at a time across
 * whatever pieces the input comes in.
 */
#include "rootfs/decode/gunzip.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

/* RFC 1952, 2.3: a member's parts in their order, and the flags of those that may be missing. */
enum stage { FIXED, EXTRA_SIZE, EXTRA, NAME, COMMENT, HEADER_CRC, DATA, TRAILER, ENDED };
enum { FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16, RESERVED = 0xe0, DEFLATE = 8 };
enum { FIXED_SIZE = 10, TRAILER_SIZE = 8 };

struct gunzip {
	struct inflate_state inflate;
	enum stage stage;
	unsigned char field[FIXED_SIZE]; /* what there is of the part being read */
	unsigned have, flags, extra;
	uint32_t header_crc, crc, length;
};

struct gunzip *gunzip_new(void)
{
	struct gunzip *gunzip = calloc(1, sizeof(*gunzip));
	if (gunzip) {
		isal_inflate_init(&gunzip->inflate);
		gunzip->stage = FIXED;
	}
	return gunzip;
}

static void begin(struct gunzip *g)
{
	isal_inflate_reset(&g->inflate);
	g->stage = FIXED;
	g->have = 0;
	g->header_crc = g->crc = g->length = 0;
}

static void advance(struct gunzip *g)
{
	g->stage++;
	g->have = 0;
}

static uint32_t number(const unsigned char *data, int bytes)
{
	uint32_t value = 0;
	while (bytes--)
		value = value << 8 | data[bytes];
	return value;
}

static const char *check_fixed(struct gunzip *g)
{
	g->flags = g->field[3];
	if (g->field[0] != 0x1f || g->field[1] != 0x8b)
		return "incorrect header check";
	if (g->field[2] != DEFLATE)
		return "unknown compression method";
	return g->flags & RESERVED ? "unknown header flags set" : NULL;
}

/* One byte of the parts before the data, which the checksum of the header covers but for itself. */
static const char *take_header(struct gunzip *g, unsigned char byte)
{
	const char *wrong = NULL;
	uint32_t before = g->header_crc;
	g->header_crc = crc32_gzip_refl(before, &byte, 1);
	if (g->have < sizeof(g->field))
		g->field[g->have] = byte;
	g->have++;
	if (g->stage == FIXED && g->have == FIXED_SIZE) {
		wrong = check_fixed(g);
		advance(g);
	} else if (g->stage == EXTRA_SIZE && g->have == 2) {
		g->extra = number(g->field, 2);
		advance(g);
	} else if (g->stage == EXTRA && g->have == g->extra) {
		advance(g);
	} else if ((g->stage == NAME || g->stage == COMMENT) && byte == 0) {
		advance(g);
	} else if (g->stage == HEADER_CRC) {
		g->header_crc = before;
		if (g->have == 2 && number(g->field, 2) != (before & 0xffff))
			wrong = "header crc mismatch";
		if (g->have == 2)
			advance(g);
	}
	return wrong;
}

/* Is the part that is next not in this member? */
static bool is_missing(const struct gunzip *g)
{
	static const unsigned flag[] = {
		[EXTRA_SIZE] = FEXTRA, [EXTRA] = FEXTRA, [NAME] = FNAME,
		[COMMENT] = FCOMMENT,  [HEADER_CRC] = FHCRC,
	};
	if (g->stage == FIXED || g->stage >= DATA)
		return false;
	return !(g->flags & flag[g->stage]) || (g->stage == EXTRA && g->extra == 0);
}

static const char *step_header(struct gunzip *g, struct buffer *b)
{
	const char *wrong = NULL;
	while (b->in_size && g->stage < DATA && !wrong) {
		wrong = take_header(g, *b->in);
		b->in++, b->in_size--;
		while (is_missing(g))
			advance(g);
	}
	return wrong;
}

/*
 * What ISA-L has read beyond the data: at most 8 bytes, all of them the trailer's. They may have come
 * with a piece of input that is gone: hence not given back to it.
 */
static void take_unused(struct gunzip *g)
{
	struct inflate_state *s = &g->inflate;
	uint64_t bits = s->read_in >> (s->read_in_length & 7);
	advance(g);
	for (int bytes = s->read_in_length / 8; bytes > 0; bytes--, bits >>= 8)
		g->field[g->have++] = (unsigned char)bits;
}

static const char *describe(int result)
{
	switch (result) {
	case ISAL_INVALID_LOOKBACK:
		return "invalid distance too far back";
	case ISAL_INVALID_SYMBOL:
		return "invalid code";
	case ISAL_INVALID_BLOCK:
		return "invalid block";
	}
	return "it is damaged";
}

static const char *step_data(struct gunzip *g, struct buffer *b)
{
	struct inflate_state *s = &g->inflate;
	s->next_in = (unsigned char *)b->in;
	s->avail_in = b->in_size;
	s->next_out = b->out;
	s->avail_out = b->out_size;
	int result = isal_inflate(s);
	size_t made = b->out_size - s->avail_out;
	g->crc = crc32_gzip_refl(g->crc, b->out, made);
	g->length += made;
	b->in = s->next_in, b->in_size = s->avail_in;
	b->out = s->next_out, b->out_size = s->avail_out;
	if (result < 0)
		return describe(result);
	if (s->block_state == ISAL_BLOCK_FINISH)
		take_unused(g);
	return NULL;
}

static const char *step_trailer(struct gunzip *g, struct buffer *b)
{
	for (; b->in_size && g->have < TRAILER_SIZE; b->in++, b->in_size--)
		g->field[g->have++] = *b->in;
	if (g->have < TRAILER_SIZE)
		return NULL;
	if (number(g->field, 4) != g->crc)
		return "incorrect data check";
	if (number(g->field + 4, 4) != g->length)
		return "incorrect length check";
	advance(g);
	return NULL;
}

const char *gunzip_step(struct gunzip *g, struct buffer *b, bool *ended)
{
	const char *wrong = NULL;
	if (g->stage == ENDED)
		begin(g);
	if (g->stage < DATA)
		wrong = step_header(g, b);
	if (!wrong && g->stage == DATA)
		wrong = step_data(g, b);
	if (!wrong && g->stage == TRAILER)
		wrong = step_trailer(g, b);
	*ended = g->stage == ENDED;
	return wrong;
}

#include "rootfs/decode/headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512, SIZE_AT = 124, CHECKSUM_AT = 148, TYPE_AT = 156, MAGIC_AT = 257 };
/* GNU tar's old header: tar.h, struct oldgnu_header. */
enum { MAP_AT = 386, EXTENDED_AT = 482, REAL_SIZE_AT = 483, REAL_SIZE_END = 495, MORE_AT = 504 };

#define NO_SIZE UINT64_MAX

void headers_init(struct headers *headers)
{
	*headers = (struct headers){ .size = NO_SIZE };
}

static uint64_t padded(uint64_t size)
{
	return (size + BLOCK - 1) / BLOCK * BLOCK;
}

/* Octal digits, or base 256 where the first bit is set; what is larger than any layer is 2^62. */
static uint64_t number(const unsigned char *field, size_t size)
{
	uint64_t value = 0, most = 1ull << 62;
	size_t i = 0;
	if (*field & 0x80) {
		for (value = *field & 0x3f, i = 1; i < size; i++)
			value = value >= most >> 8 ? most : value << 8 | field[i];
		return value;
	}
	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		value = value >= most >> 3 ? most : value << 3 | (field[i] - '0');
	return value;
}

bool headers_are_zero(const unsigned char *block)
{
	for (int i = 0; i < BLOCK; i++)
		if (block[i])
			return false;
	return true;
}

static bool is_gnu(const unsigned char *block)
{
	return !memcmp(block + MAGIC_AT, "ustar  \0", 8);
}

static bool is_pax(const unsigned char *block)
{
	return block[TYPE_AT] == 'x' || block[TYPE_AT] == 'X';
}

bool headers_are_odd(const unsigned char *block)
{
	return is_gnu(block) && block[TYPE_AT] != 'S' && (block[MAP_AT] || block[REAL_SIZE_AT]);
}

/* Its own eight bytes count as spaces. */
static unsigned checksum(const unsigned char *block)
{
	unsigned sum = 8 * ' ';
	for (int i = 0; i < BLOCK; i++)
		sum += i >= CHECKSUM_AT && i < CHECKSUM_AT + 8 ? 0 : block[i];
	return sum;
}

/* Some old writers took bytes as signed, and so does libarchive. */
bool headers_have_checksum(const unsigned char *block)
{
	uint64_t stated = number(block + CHECKSUM_AT, 8), sum = checksum(block), high = 0;
	for (int i = 0; i < BLOCK; i++)
		high += block[i] & 0x80 ? 256 : 0;
	return stated == sum || stated == sum - high;
}

/* Zeros are the archive's end, which needs none. */
static bool has_checksum(const unsigned char *block)
{
	return headers_have_checksum(block) || headers_are_zero(block);
}

static void set_checksum(unsigned char *block)
{
	snprintf((char *)block + CHECKSUM_AT, 8, "%06o", checksum(block));
	block[CHECKSUM_AT + 7] = ' ';
}

/* The last "size" among the records of a pax header's body. */
static void find_size(struct headers *headers, const unsigned char *body, size_t size)
{
	const char *at = (const char *)body, *end = at + size;
	while (at < end) {
		char *word;
		const char *eol = memchr(at, '\n', end - at);
		unsigned long length = eol ? strtoul(at, &word, 10) : 0;
		if (length < 5 || length > (size_t)(end - at) || word >= eol)
			return;
		if (!strncmp(word, " size=", 6))
			headers->size = strtoull(word + 6, NULL, 10);
		at += length;
	}
}

/* How many bytes of data follow: links, devices, directories and fifos have none, whatever they say. */
static uint64_t data_size(const struct headers *headers, const unsigned char *block)
{
	if (block[TYPE_AT] >= '1' && block[TYPE_AT] <= '6')
		return 0;
	return headers->size != NO_SIZE ? headers->size : number(block + SIZE_AT, 12);
}

/* Goes over one entry's header or one that stands before it. */
static void pass_header(struct headers *headers, const unsigned char *block)
{
	headers->next += BLOCK;
	if (headers->extended) {
		headers->extended = block[MORE_AT];
		if (!headers->extended) {
			headers->next += padded(headers->size);
			headers->size = NO_SIZE;
		}
	} else if (headers_are_zero(block)) {
		headers->ended = true;
	} else if (strchr("xXgLKA", block[TYPE_AT]) && block[TYPE_AT]) {
		headers->next += padded(number(block + SIZE_AT, 12));
	} else {
		uint64_t size = data_size(headers, block);
		headers->extended = block[TYPE_AT] == 'S' && is_gnu(block) && block[EXTENDED_AT];
		headers->size = headers->extended ? size : NO_SIZE;
		headers->next += headers->extended ? 0 : padded(size);
	}
}

/* Whether what begins with this pax header can stay as it is: a second one doesn't follow within LEFT bytes. */
static bool is_alone(struct headers *headers, const unsigned char *block, size_t left)
{
	uint64_t size = number(block + SIZE_AT, 12);
	if (left < 2 * BLOCK || size > left - 2 * BLOCK || padded(size) > left - 2 * BLOCK ||
	    is_pax(block + BLOCK + padded(size)))
		return false;
	find_size(headers, block + BLOCK, size);
	return true;
}

size_t headers_pass(struct headers *headers, struct span span, uint64_t at)
{
	while (!headers->ended && headers->next >= at && headers->next - at + BLOCK <= span.size) {
		size_t place = headers->next - at;
		const unsigned char *block = span.data + place;
		if (!headers->extended &&
		    (headers_are_odd(block) || (is_pax(block) && !is_alone(headers, block, span.size - place))))
			return place;
		pass_header(headers, block);
	}
	return span.size;
}

/* A record that nobody reads: LENGTH bytes, at least 512 and less than 1024. */
static void fill(unsigned char *to, size_t length)
{
	int used = sprintf((char *)to, "%zu comment=", length);
	memset(to + used, ' ', length - used - 1);
	to[length - 1] = '\n';
}

/* One header of all, up to END, the last body's: the records in order, so that the last of a key holds. */
static void merge(unsigned char *buffer, size_t end)
{
	char digits[16];
	size_t at = 0, size = number(buffer + SIZE_AT, 12);
	for (size_t next; (next = at + BLOCK + padded(size)) < end; at = next) {
		size_t gap = at + BLOCK + size;
		size = number(buffer + next + SIZE_AT, 12);
		fill(buffer + gap, next + BLOCK - gap);
	}
	snprintf(digits, sizeof(digits), "%011zo", end - BLOCK);
	memcpy(buffer + SIZE_AT, digits, 12);
	set_checksum(buffer);
}

/* All are there: END is the last pax body's, 0 where there was none, at AT the header behind them. */
static void rewrite(struct headers *headers, unsigned char *buffer, size_t end, size_t at)
{
	unsigned char *block = buffer + at;
	if (end && padded(number(buffer + SIZE_AT, 12)) + BLOCK < end)
		merge(buffer, end);
	if (end)
		find_size(headers, buffer + BLOCK, end - BLOCK);
	if (headers_are_odd(block)) {
		memset(block + MAP_AT, 0, REAL_SIZE_END - MAP_AT);
		set_checksum(block);
	}
	headers->next += at;
	pass_header(headers, block);
}

size_t headers_gather(struct headers *headers, unsigned char *buffer, size_t got)
{
	size_t at = 0, end = 0;
	for (;;) {
		if (got < at + BLOCK)
			return at + BLOCK;
		/* A wrong checksum is libarchive's to find, which it could not after a change. */
		bool sound = has_checksum(buffer + at);
		if (!sound || !is_pax(buffer + at))
			break;
		uint64_t size = number(buffer + at + SIZE_AT, 12);
		if (size > HEADERS_MAX || at + 2 * BLOCK + padded(size) > HEADERS_MAX)
			return HEADERS_MAX + 1;
		end = at + BLOCK + size;
		at += BLOCK + padded(size);
	}
	if (has_checksum(buffer + at))
		rewrite(headers, buffer, end, at);
	else
		headers->ended = true;
	return got;
}

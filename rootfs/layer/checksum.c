#include "rootfs/layer/checksum.h"

#include <string.h>

/* 2^64 divided by the golden ratio: what a place counts for grows by it. */
static const uint64_t step = 0x9e3779b97f4a7c15;

/* Odd, and with no likeness to that of the next place. */
static inline uint64_t factor(uint64_t weight)
{
	return (weight ^ weight >> 32) | 1;
}

/* Bytes of one word: what is missing of it is zero. */
static uint64_t part(uint64_t at, const unsigned char *data, size_t size)
{
	uint64_t word = 0;
	for (size_t i = 0; i < size; i++)
		word |= (uint64_t)data[i] << 8 * ((at + i) % 8);
	return word * factor((at / 8 + 1) * step);
}

static inline uint64_t word_at(const unsigned char *data)
{
	uint64_t word;
	memcpy(&word, data, sizeof(word));
	return word;
}

uint64_t checksum_of(uint64_t at, const void *data, size_t size)
{
	const unsigned char *from = data;
	size_t head = -at % 8 < size ? -at % 8 : size;
	uint64_t sum = head ? part(at, from, head) : 0;
	at += head, from += head, size -= head;
	uint64_t weight = (at / 8 + 1) * step, other = 0;
	/* Two at a time, so that neither waits for the other's product. */
	for (; size >= 16; from += 16, size -= 16, at += 16, weight += 2 * step) {
		sum += word_at(from) * factor(weight);
		other += word_at(from + 8) * factor(weight + step);
	}
	if (size >= 8) {
		sum += word_at(from) * factor(weight);
		at += 8, from += 8, size -= 8;
	}
	return sum + other + (size ? part(at, from, size) : 0);
}

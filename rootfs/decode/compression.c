#include "rootfs/decode/compression.h"

#include <string.h>

#include "rootfs/base/err.h"

int compression_find(const unsigned char *data, size_t size, enum compression *compression)
{
	static const struct {
		const char *magic, *name;
		size_t size;
		int compression; /* -1: not one of ours */
	} known[] = {
		{ "\x1f\x8b", "gzip", 2, GZIP },
		{ "\x28\xb5\x2f\xfd", "zstd", 4, ZSTD },
		{ "\xfd""7zXZ\0", "xz", 6, XZ },
		{ "BZh", "bzip2", 3, -1 },
		{ "\x04\x22\x4d\x18", "lz4", 4, -1 },
		{ "LZIP", "lzip", 4, -1 },
	};
	*compression = PLAIN;
	/* RFC 8878, 3.1.2: a skippable frame may come first, sixteen magic numbers. */
	if (size >= 4 && (data[0] & 0xf0) == 0x50 && !memcmp(data + 1, "\x2a\x4d\x18", 3))
		*compression = ZSTD;
	/* A tar archive may begin with any name: its own magic is further on. */
	if (size >= 263 && !memcmp(data + 257, "ustar", 5))
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (size < known[i].size || memcmp(data, known[i].magic, known[i].size))
			continue;
		if (known[i].compression < 0)
			return failx("it is compressed with %s; wherry reads gzip, zstd and xz",
				     known[i].name);
		*compression = (enum compression)known[i].compression;
	}
	return 0;
}

/*
 * RFC 8878, 3.1.1.1: a window descriptor, or a single segment, whose window is its content's
 * size.
 */
static uint64_t zstd_window(const unsigned char *data, size_t size)
{
	if (size < 6)
		return 0;
	if (data[4] & 0x20)
		return DECODER_WINDOW;
	uint64_t base = 1ull << (10 + (data[5] >> 3));
	return base + base / 8 * (data[5] & 7);
}

uint64_t compression_memory(const unsigned char *data, size_t size, enum compression compression)
{
	switch (compression) {
	case ZSTD:
		return zstd_window(data, size);
	case XZ:
		return DECODER_WINDOW; /* the block's header has it, further on: as xz -6 has it */
	case PLAIN:
	case GZIP:
		break;
	}
	return 0;
}

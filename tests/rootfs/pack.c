/* Headers of members, as other readers of tar archives take them. */
#include "rootfs/export/pack.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"

static const struct {
	uint64_t size;
	unsigned char field[12]; /* octal digits, or base 256 behind a set bit: GNU tar's, which all read */
} cases[] = {
	{ 0, "00000000000" },
	{ 077777777777, "77777777777" },
	{ 0100000000000, { 0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0 } },
	{ 0x123456789abc, { 0x80, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc } },
};

static bool sums_up(const unsigned char *block)
{
	unsigned sum = 8 * ' ';
	for (int i = 0; i < 512; i++)
		sum += i < 148 || i >= 156 ? block[i] : 0;
	return strtoul((const char *)block + 148, NULL, 8) == sum;
}

int main(void)
{
	unsigned char block[512];
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pack_header(block, "blobs/sha256/0", cases[i].size);
		tap_ok(!memcmp(block + 124, cases[i].field, 12) && sums_up(block), "a member of %llu bytes says so",
		       (unsigned long long)cases[i].size);
	}
	return tap_finish();
}

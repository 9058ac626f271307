/*
 * What a layer may not go over, with limits small enough to be reached: the stream, what lies behind the archive's
 * end, entries, and a file's size. Each is kept to and passed by one.
 */
#include "rootfs/layer/layer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/decode/compression.h"
#include "rootfs/base/err.h"
#include "rootfs/export/pack.h"
#include "rootfs/layer/remove.h"
#include "tests/lib/tap.h"

enum { BLOCK = 512, MIB = 1 << 20, ZSTD_BLOCK = 128 << 10 };

/* What a layer has in it, and where it ends. */
struct content {
	int files;
	uint64_t size; /* of each, zeros */
	uint64_t tail; /* zeros behind the end marker */
};

static void put(int file, const void *data, size_t size)
{
	if (write(file, data, size) != (ssize_t)size)
		exit(1);
}

static void put_zeros(int file, uint64_t size)
{
	off_t end = lseek(file, size, SEEK_CUR);
	if (end < 0 || ftruncate(file, end) < 0)
		exit(1);
}

static struct blob make_plain(const struct content *content)
{
	unsigned char header[BLOCK];
	int file = memfd_create("layer", MFD_CLOEXEC);
	for (int i = 0; i < content->files; i++) {
		char name[16];
		snprintf(name, sizeof(name), "f%d", i);
		pack_header(header, name, content->size);
		put(file, header, sizeof(header));
		put_zeros(file, (content->size + BLOCK - 1) / BLOCK * BLOCK);
	}
	put_zeros(file, 2 * BLOCK + content->tail);
	return (struct blob){ file, 0, lseek(file, 0, SEEK_END) };
}

/* zstd (RFC 8878): the first block as it is, and zeros, four bytes for 128 KiB of them. */
static struct blob make_bomb(const struct content *content)
{
	unsigned char header[BLOCK];
	int file = memfd_create("bomb", MFD_CLOEXEC);
	uint64_t blocks = (content->size + 2 * BLOCK + content->tail) / ZSTD_BLOCK + 1;
	put(file, "\x28\xb5\x2f\xfd\x00\x38", 6);
	put(file, "\x00\x10\x00", 3); /* 512 bytes */
	pack_header(header, "f0", content->size);
	put(file, header, sizeof(header));
	for (uint64_t i = 0; i < blocks; i++) {
		uint32_t block = ZSTD_BLOCK << 3 | 1 << 1 | (i == blocks - 1);
		unsigned char four[] = { block, block >> 8, block >> 16, 0 };
		put(file, four, sizeof(four));
	}
	return (struct blob){ file, 0, lseek(file, 0, SEEK_END) };
}

static const struct {
	const char *says;
	struct content content;
	struct layer_limits limits;
	const char *refused; /* NULL: it is taken */
} cases[] = {
	{ "takes a stream as long as it may be", { 1, 2 * MIB - 3 * BLOCK, 0 }, { 2 * MIB, MIB, 1, 4 * MIB }, NULL },
	{ "refuses a longer stream", { 1, 2 * MIB - 2 * BLOCK, 0 }, { 2 * MIB, MIB, 1, 4 * MIB },
	  "it unpacks to more than 2 MiB" },
	{ "counts what lies behind the end in the stream", { 1, 2 * MIB - 3 * BLOCK, BLOCK }, { 2 * MIB, MIB, 1, 4 * MIB },
	  "it unpacks to more than 2 MiB" },
	{ "refuses much behind the end", { 1, 1, 2 * MIB }, { 8 * MIB, MIB, 1, 4 * MIB },
	  "more than 1 MiB lie behind its archive's end" },
	{ "takes less behind the end", { 1, 1, MIB / 2 }, { 8 * MIB, MIB, 1, 4 * MIB }, NULL },
	{ "takes as many entries as there may be", { 20, 1, 0 }, { 8 * MIB, MIB, 20, 4 * MIB }, NULL },
	{ "refuses one more entry", { 21, 1, 0 }, { 8 * MIB, MIB, 20, 4 * MIB }, "it has more than 20 entries" },
	{ "takes a file as large as it may be", { 1, MIB, 0 }, { 8 * MIB, MIB, 1, MIB }, NULL },
	{ "refuses a larger file", { 1, MIB + 1, 0 }, { 8 * MIB, MIB, 1, MIB }, "f0: it is larger than 1 MiB" },
};

static int extract(const struct blob *blob, const struct layer_limits *limits, const char *place)
{
	struct findings found;
	struct layer layer = { .blob = *blob, .window = DECODER_WINDOW };
	int root = -1, implied = memfd_create("implied", MFD_CLOEXEC);
	failure_clear();
	if (mkdir(place, 0700) < 0 || (root = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		exit(1);
	int result = layer_extract(&layer, limits, root, implied, NULL, &found);
	close(root);
	close(implied);
	tree_remove(AT_FDCWD, place);
	return result;
}

static void check(const char *says, const struct blob *blob, const struct layer_limits *limits, const char *refused,
		  const char *place)
{
	int result = extract(blob, limits, place);
	const char *said = failure_get()->text;
	tap_ok(refused ? result < 0 && !strcmp(said, refused) : result == 0, "%s (%s)", says, said);
	close(blob->file);
}

int main(void)
{
	char place[] = "/tmp/wherry-limits.XXXXXX", root[64];
	if (!mkdtemp(place))
		return 1;
	snprintf(root, sizeof(root), "%s/root", place);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct blob blob = make_plain(&cases[i].content);
		check(cases[i].says, &blob, &cases[i].limits, cases[i].refused, root);
	}
	/* 512 MiB in 16 KB */
	struct blob bomb = make_bomb(&(struct content){ 1, 512 * MIB, 0 });
	const struct layer_limits few = { 2 * MIB, MIB, 1, 1024 * MIB };
	tap_ok(bomb.size < 20000, "a bomb is small (%llu bytes)", (unsigned long long)bomb.size);
	check("refuses a bomb for what it unpacks to", &bomb, &few, "it unpacks to more than 2 MiB", root);
	bomb = make_bomb(&(struct content){ 1, 0, 512 * MIB });
	const struct layer_limits tail = { 1024 * MIB, MIB, 1, MIB };
	check("refuses a bomb behind the end", &bomb, &tail, "more than 1 MiB lie behind its archive's end", root);
	tap_ok(layer_limits.stream == 256ull << 30 && layer_limits.file == 256ll << 30 && layer_limits.tail == 16 << 20 &&
		       layer_limits.entries == 4 << 20,
	       "a load allows a stream and a file of 256 GiB, 4 Mi entries, 16 MiB behind the end");
	rmdir(place);
	return tap_finish();
}

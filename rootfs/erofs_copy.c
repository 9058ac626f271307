#include "rootfs/erofs_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/err.h"
#include "rootfs/scoped.h"

enum { CHUNK_BITS = 3, CHUNKS_MAX = 65536 };

static uint64_t chunk_size(uint64_t size)
{
	return (uint64_t)EROFS_BLOCK << erofs_chunk_bits(size);
}

int erofs_chunk_bits(uint64_t size)
{
	int bits = CHUNK_BITS;
	while (size > (uint64_t)CHUNKS_MAX * EROFS_BLOCK << bits)
		bits++;
	return bits;
}

uint64_t erofs_chunks(uint64_t size)
{
	return (size + chunk_size(size) - 1) / chunk_size(size);
}

/* What isn't written here is a hole in the index, too, and reads as zeros. */
static int copy_data(int from, off_t at, off_t end, int to, off_t place)
{
	static char piece[65536];
	while (at < end) {
		size_t size = (off_t)sizeof(piece) < end - at ? sizeof(piece) : (size_t)(end - at);
		ssize_t n = pread(from, piece, size, at);
		if (n < 0 || (n > 0 && pwrite(to, piece, n, place) != n))
			return fail("copy a file into the index");
		if (n == 0)
			break;
		at += n, place += n;
	}
	return 0;
}

/* Returns 1 where the chunk [AT, END) has data, 0 where it is a hole. */
static int copy_chunk(int from, off_t at, off_t end, int to, off_t place)
{
	int found = 0;
	while (at < end) {
		off_t data = lseek(from, at, SEEK_DATA);
		if (data < 0 && errno != ENXIO)
			return fail("look for a file's holes");
		if (data < 0 || data >= end)
			break;
		off_t hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return fail("look for a file's holes");
		if (hole > end)
			hole = end;
		if (copy_data(from, data, hole, to, place + (data - at)) < 0)
			return -1;
		found = 1;
		place += hole - at;
		at = hole;
	}
	return found;
}

int erofs_copy(int dir, const struct erofs_node *node, int file, uint64_t *blocks, unsigned char *map)
{
	uint64_t size = chunk_size(node->size);
	scoped_fd from = openat(dir, node->text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0)
		return fail("copy a file into the index");
	for (uint64_t i = 0; i < erofs_chunks(node->size); i++) {
		uint32_t address = UINT32_MAX; /* a hole */
		uint64_t end = (i + 1) * size < node->size ? (i + 1) * size : node->size;
		int found = copy_chunk(from, i * size, end, file, *blocks * EROFS_BLOCK);
		if (found < 0)
			return -1;
		if (found) {
			address = *blocks;
			*blocks += size / EROFS_BLOCK;
		}
		if (*blocks >= UINT32_MAX)
			return failx("the image's files with holes are too large for an index");
		for (int byte = 0; byte < 4; byte++)
			*map++ = address >> 8 * byte & 0xff;
	}
	return 0;
}

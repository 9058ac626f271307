#include "rootfs/index/erofs_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/store/room.h"
#include "rootfs/base/scoped.h"

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

/* The tmpfs that it is copied from has pages, the last of them perhaps in part. */
int64_t erofs_copy_need(const struct erofs *erofs, const struct erofs_node *node)
{
	struct stat st;
	if (fstatat(erofs->copied, node->text, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail("look at a file for the index");
	int64_t kept = (int64_t)st.st_blocks * 512;
	return kept < st.st_size ? kept : st.st_size;
}

/* A disk that is full takes a part, and says so only when it is asked to take the rest. */
int erofs_put(const struct erofs *erofs, int file, const void *data, size_t size, off_t at)
{
	const unsigned char *from = data;
	for (size_t done = 0; done < size;) {
		ssize_t n = pwrite(file, from + done, size - done, at + (off_t)done);
		if (n < 0) {
			room_hint_need("the index", erofs->need);
			return fail("write the index");
		}
		done += (size_t)n;
	}
	return 0;
}

/* What isn't written here is a hole in the index, too, and reads as zeros. */
static int copy_data(const struct erofs *erofs, int from, off_t at, off_t end, int to, off_t place)
{
	static char piece[65536];
	while (at < end) {
		size_t size = (off_t)sizeof(piece) < end - at ? sizeof(piece) : (size_t)(end - at);
		ssize_t n = pread(from, piece, size, at);
		if (n < 0)
			return fail("copy a file into the index");
		if (n == 0)
			break;
		if (erofs_put(erofs, to, piece, n, place) < 0)
			return -1;
		at += n, place += n;
	}
	return 0;
}

/* Returns 1 where the chunk [AT, END) has data, 0 where it is a hole. */
static int copy_chunk(const struct erofs *erofs, int from, off_t at, off_t end, int to, off_t place)
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
		if (copy_data(erofs, from, data, hole, to, place + (data - at)) < 0)
			return -1;
		found = 1;
		place += hole - at;
		at = hole;
	}
	return found;
}

int erofs_copy(const struct erofs *erofs, const struct erofs_node *node, int file, uint64_t *blocks,
	       unsigned char *map)
{
	uint64_t size = chunk_size(node->size);
	scoped_fd from = openat(erofs->copied, node->text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0)
		return fail("copy a file into the index");
	for (uint64_t i = 0; i < erofs_chunks(node->size); i++) {
		uint32_t address = UINT32_MAX; /* a hole */
		uint64_t end = (i + 1) * size < node->size ? (i + 1) * size : node->size;
		int found = copy_chunk(erofs, from, i * size, end, file, *blocks * EROFS_BLOCK);
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

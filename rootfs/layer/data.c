#include "rootfs/layer/data.h"

#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "rootfs/base/blob.h"
#include "rootfs/layer/checksum.h"
#include "rootfs/base/err.h"

/* What is copied out of its place is kept in memory, and then in the index. */
enum { PIECE = 65536, COPIED_MAX = 64 << 20, BLOCK = 512 };

static int check(const struct tree *tree, int64_t offset, size_t size)
{
	if (offset < tree->next || offset > tree->entry.size ||
	    (int64_t)size > tree->entry.size - offset)
		return tree_failx(tree, "its data don't fit its size");
	return 0;
}

static int write_all(struct tree *tree, int64_t offset, const void *data, size_t size)
{
	for (const char *at = data; size;) {
		ssize_t n = pwrite(tree->file, at, size, offset);
		if (n < 0)
			return tree_fail(tree, "write it");
		tree->found.sum += checksum_of(offset, at, n);
		at += n, offset += n, size -= n;
		tree->found.bytes += n;
		tree->found.disk += n;
	}
	return 0;
}

int data_write(struct tree *tree, int64_t offset, const void *data, size_t size)
{
	if (tree->file < 0)
		return 0;
	if (check(tree, offset, size) < 0 || write_all(tree, offset, data, size) < 0)
		return -1;
	tree->next = offset + size;
	return 0;
}

static int copy(struct tree *tree, int64_t offset, uint64_t from, uint64_t size)
{
	static char piece[PIECE];
	if (size > COPIED_MAX - tree->found.bytes) {
		tree_failx(tree, "files with holes are copied, and those up to it are too large for that");
		return hint("run it without --no-unpack");
	}
	while (size) {
		ssize_t n = blob_read(tree->blob, from, piece, size < PIECE ? size : PIECE);
		if (n <= 0)
			return n < 0 ? tree_fail(tree, "read it") : tree_failx(tree, "it is truncated");
		if (write_all(tree, offset, piece, n) < 0)
			return -1;
		offset += n, from += n, size -= n;
	}
	return 0;
}

/* The data are no single run: what seemed to be one is written. */
static int give_up_run(struct tree *tree)
{
	uint64_t run = tree->run;
	tree->run = 0;
	return copy(tree, 0, tree->from, run);
}

int data_place(struct tree *tree, int64_t offset, uint64_t from, size_t size)
{
	if (tree->file < 0 || !size)
		return 0;
	if (check(tree, offset, size) < 0)
		return -1;
	bool first = !tree->next && !offset && (tree->blob->offset + from) % BLOCK == 0;
	bool next = tree->run && (uint64_t)offset == tree->run && from == tree->from + tree->run;
	tree->next = offset + size;
	if (first)
		tree->from = from;
	if (first || next) {
		tree->run += size;
		return 0;
	}
	if (tree->run && give_up_run(tree) < 0)
		return -1;
	return copy(tree, offset, from, size);
}

int data_end_run(struct tree *tree)
{
	uint64_t place = tree->blob->offset + tree->from;
	if ((int64_t)tree->run < tree->entry.size)
		return give_up_run(tree);
	if (fsetxattr(tree->file, TREE_PLACE, &place, sizeof(place), 0) < 0)
		return tree_fail(tree, "note its place in the archive");
	return 0;
}

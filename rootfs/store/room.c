#include "rootfs/store/room.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/statfs.h>

#include "rootfs/decode/compression.h"
#include "rootfs/base/err.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* RFC 1951 can't do better: 258 bytes for two bits. */
enum { DEFLATE_MOST = 1032 };

/* Modulo 2^32, and the last member's alone: that makes it less than is true, never more. */
static uint64_t gzip_length(const struct blob *blob)
{
	unsigned char end[4];
	if (blob->size < 18 || blob_read(blob, blob->size - 4, end, 4) != 4)
		return 0;
	uint64_t length = end[0] | end[1] << 8 | end[2] << 16 | (uint64_t)end[3] << 24;
	return length / DEFLATE_MOST > blob->size ? 0 : length;
}

/*
 * A tar archive spends 512 bytes on a header and up to 511 to fill a block; a disk spends inodes,
 * which are not counted here, and 2 KB a file to fill a block of its own. An eighth is for archives
 * that have more headers than anything else.
 */
uint64_t room_least(const struct blob *blob)
{
	unsigned char head[512];
	enum compression compression = PLAIN;
	uint64_t length = 0;
	ssize_t size = blob_read(blob, 0, head, sizeof(head));
	if (size < 0 || compression_find(head, size, &compression) < 0) {
		failure_clear(); /* who extracts it will see it, and say so */
		return 0;
	}
	if (compression == GZIP)
		length = gzip_length(blob);
	if (length < blob->size)
		length = blob->size;
	return length - length / 8;
}

static bool stores_as_it_is(const struct statfs *system)
{
	static const unsigned long known[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
					       TMPFS_MAGIC };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if ((unsigned long)system->f_type == known[i])
			return system->f_blocks > 0; /* a tmpfs without a limit has none */
	return false;
}

int room_check(int dir, uint64_t need, const char *path, const char *what, const char *store)
{
	struct statfs system;
	if (fstatfs(dir, &system) < 0 || !stores_as_it_is(&system))
		return 0;
	uint64_t there = (uint64_t)system.f_bfree * system.f_bsize;
	if (there >= need)
		return 0;
	failx("%s: %s at least %llu MiB, and %s has %llu MiB free", path, what,
	      (unsigned long long)(need + (1 << 20) - 1) >> 20, store,
	      (unsigned long long)there >> 20);
	return hint("nothing was extracted; wherry prune makes room, --root DIR names another place");
}

static bool is_full(int err)
{
	return err == ENOSPC || err == EDQUOT;
}

void room_hint(uint64_t written)
{
	int err = errno;
	if (is_full(err))
		hint("that takes more than the %llu MiB that had been written, and its layers come on "
		     "top; wherry prune makes room, --root DIR names another place",
		     (unsigned long long)written >> 20);
	errno = err;
}

void room_hint_need(const char *what, uint64_t need)
{
	int err = errno;
	if (is_full(err))
		hint("%s needs at least %llu MiB; wherry prune makes room, --root DIR names another place", what,
		     (unsigned long long)(need + (1 << 20) - 1) >> 20);
	errno = err;
}

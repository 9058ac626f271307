/* Bytes somewhere in a file: a blob of a layout, or a member of an archive. */
#ifndef ROOTFS_BASE_BLOB_H
#define ROOTFS_BASE_BLOB_H

#include <stdint.h>
#include <sys/types.h>

struct blob {
	int file; /* borrowed */
	off_t offset;
	uint64_t size;
};

/* Reads SIZE bytes at AT of the blob, less only where it ends. Returns how many; -1 with errno. */
ssize_t blob_read(const struct blob *, uint64_t at, void *data, size_t size);

#endif

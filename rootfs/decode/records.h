/* What the decoder says on its channel of an archive's entries; who reads it checks every number. */
#ifndef ROOTFS_DECODE_RECORDS_H
#define ROOTFS_DECODE_RECORDS_H

#include <stdint.h>

/* What an archive says of one entry, on the channel; followed by path, link and attributes. */
struct entry_record {
	uint64_t position; /* where its data begin in the stream (layer) or file (index) */
	int64_t size, mtime, atime;
	uint64_t uid, gid;
	uint32_t mtime_ns, atime_ns;
	uint32_t mode; /* with its type */
	uint32_t major, minor;
	uint32_t hard_link, has_atime;
	uint32_t sparse; /* what is stored are pieces of it */
	uint32_t path_size, link_size, attributes_size; /* without NULs */
};

struct attribute_record {
	uint32_t name_size, value_size; /* name, value */
};

/* SIZE bytes at STREAM of the stream belong at FILE of the file. */
struct data_record {
	uint64_t stream, file, size;
};

#endif

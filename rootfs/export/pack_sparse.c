#include "rootfs/export/pack_sparse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 512 };

static void add(struct sparse *sparse, uint64_t at, uint64_t size)
{
	sparse->pieces[sparse->count].at = at;
	sparse->pieces[sparse->count++].size = size;
	sparse->data += size;
}

/* Decimal numbers, a line each: how many pieces, then place and size of each. */
static void write_map(struct sparse *sparse)
{
	int used = sprintf(sparse->map, "%zu\n", sparse->count);
	for (size_t i = 0; i < sparse->count; i++)
		used += sprintf(sparse->map + used, "%llu\n%llu\n",
				(unsigned long long)sparse->pieces[i].at,
				(unsigned long long)sparse->pieces[i].size);
	sparse->map_size = (size_t)(used + BLOCK - 1) / BLOCK * BLOCK;
	memset(sparse->map + used, 0, sparse->map_size - (size_t)used);
}

int sparse_find(struct sparse *sparse, int file, uint64_t size)
{
	uint64_t at = 0;
	sparse->count = 0;
	sparse->data = 0;
	while (at < size && sparse->count < SPARSE_PIECES - 1) {
		off_t data = lseek(file, (off_t)at, SEEK_DATA);
		if (data < 0 && errno == ENXIO) /* nothing but a hole */
			break;
		off_t hole = data < 0 ? -1 : lseek(file, data, SEEK_HOLE);
		if (hole < 0)
			return errno == EINVAL ? 0 : -1;
		at = (uint64_t)hole < size ? (uint64_t)hole : size;
		if ((uint64_t)data < at)
			add(sparse, (uint64_t)data, at - (uint64_t)data);
	}
	if (at < size && sparse->count == SPARSE_PIECES - 1)
		add(sparse, at, size - at);
	else if (at < size)
		add(sparse, size, 0);
	if (sparse->data == size)
		return 0;
	write_map(sparse);
	return 1;
}

/*
 * Layers on top of each other, run out of their archive: what they say becomes one index, as rootfs/index/make.c
 * has it. The first block of the input says how many layers there are and how many blocks each has; the rest is
 * the archive. Needs root, since a file's place is a trusted attribute.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rootfs/store/chain.h"
#include "rootfs/decode/decoder.h"
#include "rootfs/base/err.h"
#include "rootfs/layer/layer.h"
#include "rootfs/index/merge.h"
#include "rootfs/layer/remove.h"
#include "tests/fuzz/slow.h"

enum { LAYERS = 4, ARCHIVE_MAX = 1 << 20 };

static const struct layer_limits limits = { .stream = 4 << 20, .tail = 1 << 20, .entries = 1000, .file = 1 << 20 };
static const char *const names[LAYERS] = { "0", "1", "2", "3" };
static int place = -1;

/* As rootfs/index/make.c has it: a tmpfs without a name, gone with us. */
static void prepare(void)
{
	if (place >= 0)
		return;
	int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		abort();
	int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	place = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place < 0)
		abort();
	close(mount);
	close(context);
	umask(0);
}

static int memory(const char *name)
{
	int file = memfd_create(name, MFD_CLOEXEC);
	if (file < 0)
		abort();
	return file;
}

static int make_root(int number)
{
	if (mkdirat(place, names[number], 0700) < 0)
		abort();
	int root = openat(place, names[number], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		abort();
	return root;
}

/* Layer NUMBER, completed by those below it. Returns -1 with a failure. */
static int read_layer(struct merge_layer *layers, int number, const struct blob *blob)
{
	struct chain_layer below[LAYERS];
	struct findings found;
	unsigned asked = 0;
	struct layer layer = { .blob = *blob, .in_place = true, .window = DECODER_WINDOW };
	int implied = memory("implied");
	layers[number] = (struct merge_layer){ .dir = make_root(number), .name = names[number] };
	for (int i = 0; i < number; i++)
		below[i] = (struct chain_layer){ layers[i].dir, layers[i].opaque_root };
	int result = layer_extract(&layer, &limits, layers[number].dir, implied, NULL, &found);
	if (lseek(implied, 0, SEEK_SET) < 0)
		abort();
	if (result == 0)
		result = chain_complete(layers[number].dir, implied, below, number, &asked);
	layers[number].has_root = found.has_root;
	layers[number].opaque_root = found.opaque_root;
	close(implied);
	return result;
}

/* A directory's names are sorted, each is there once, and none leads elsewhere. */
static bool are_names_right(const struct erofs *erofs, const struct erofs_node *node)
{
	for (uint32_t i = 0; i < node->name_count; i++) {
		const struct erofs_name *name = &node->names[i];
		if (!*name->name || strchr(name->name, '/') || name->node >= erofs->count ||
		    (i && strcmp(node->names[i - 1].name, name->name) >= 0))
			return false;
	}
	return true;
}

/* No file's data lie outside the archive. */
static void check_nodes(const struct erofs *erofs)
{
	for (uint32_t i = 0; i < erofs->count; i++) {
		const struct erofs_node *node = &erofs->nodes[i];
		if (node->data == EROFS_DEVICE &&
		    (node->device >= erofs->device_count || node->place % EROFS_BLOCK ||
		     node->place > erofs->devices[node->device] ||
		     node->size > erofs->devices[node->device] - node->place))
			abort();
		if (node->data == EROFS_DIRECTORY && !are_names_right(erofs, node))
			abort();
	}
}

static void make_index(const struct merge_layer *layers, int count, uint64_t archive_size)
{
	static struct erofs erofs;
	int index = memory("index");
	erofs = (struct erofs){ .device_count = 1, .devices = { archive_size }, .copied = place };
	if (merge_layers(layers, count, &erofs) == 0) {
		check_nodes(&erofs);
		if (erofs_place(&erofs) == 0)
			erofs_write(&erofs, index);
	}
	erofs_free(&erofs);
	close(index);
}

static void remove_layers(struct merge_layer *layers, int count)
{
	for (int i = 0; i < count; i++) {
		close(layers[i].dir);
		if (tree_remove(place, names[i]) < 0)
			abort();
	}
}

static void take(const unsigned char *data, size_t size)
{
	struct merge_layer layers[LAYERS];
	if (size < EROFS_BLOCK || size > ARCHIVE_MAX)
		return;
	prepare();
	int archive = memory("archive"), wanted = data[0] % LAYERS + 1, count = 0, result = 0;
	if (write(archive, data, size) != (ssize_t)size)
		abort();
	for (uint64_t at = EROFS_BLOCK; count < wanted && result == 0; count++) {
		uint64_t left = size - at, stated = (uint64_t)data[count + 1] * EROFS_BLOCK;
		const struct blob blob = { archive, at, count == wanted - 1 || stated > left ? left : stated };
		result = read_layer(layers, count, &blob);
		at += blob.size;
	}
	if (result == 0)
		make_index(layers, count, size);
	failure_clear();
	remove_layers(layers, count);
	close(archive);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	slow_begin();
	take(data, size);
	slow_end(size);
	return 0;
}

#include "rootfs/index/erofs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "rootfs/index/erofs_copy.h"
#include "rootfs/base/err.h"

/* fs/erofs/erofs_fs.h */
enum {
	SUPER_AT = 1024, SUPER = 128, SLOT = 128, INODE = 64, UNIT = 32, DIRENT = 12, ATTRIBUTES_HEADER = 12,
	LAYOUT_PLAIN = 0, LAYOUT_INLINE = 2, LAYOUT_CHUNKS = 4, EXTENDED = 1,
	COMPAT_MTIME = 2, INCOMPAT_CHUNKS = 4, INCOMPAT_DEVICES = 8,
};
#define MAGIC 0xe0f5e1e2u

/* All of it but what is copied. */
struct image {
	struct erofs *erofs;
	unsigned char *bytes;    /* erofs->size of them */
	uint64_t blocks;         /* what is copied included */
};

/* Little-endian. */
static void put(unsigned char *at, uint64_t value, int bytes)
{
	for (; bytes > 0; bytes--, value >>= 8)
		*at++ = value & 0xff;
}

static uint64_t round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

int64_t erofs_add(struct erofs *erofs)
{
	if (erofs->count == erofs->room) {
		uint32_t room = erofs->room ? erofs->room * 2 : 256;
		struct erofs_node *grown = realloc(erofs->nodes, room * sizeof(*grown));
		if (!grown)
			return fail("make the index");
		erofs->nodes = grown;
		erofs->room = room;
	}
	memset(&erofs->nodes[erofs->count], 0, sizeof(*erofs->nodes));
	return erofs->count++;
}

int erofs_add_attribute(struct erofs_node *node, const char *name, const void *value, size_t size)
{
	static const struct {
		const char *prefix;
		unsigned char index;
	} known[] = { { "user.", 1 }, { "security.", 6 } };
	size_t i = 0, count = sizeof(known) / sizeof(*known);
	while (i < count && strncmp(name, known[i].prefix, strlen(known[i].prefix)))
		i++;
	if (i == count)
		return 0;
	name += strlen(known[i].prefix);
	size_t need = round_up(4 + strlen(name) + size, 4);
	if (size > UINT16_MAX || node->attributes_size + need > 4 * (size_t)UINT16_MAX)
		return failx("its attribute %s%s is longer than an index can have", known[i].prefix, name);
	unsigned char *grown = realloc(node->attributes, node->attributes_size + need);
	if (!grown)
		return fail("make the index");
	unsigned char *at = grown + node->attributes_size;
	memset(at, 0, need);
	at[0] = (unsigned char)strlen(name);
	at[1] = known[i].index;
	put(at + 2, size, 2);
	memcpy(at + 4, name, strlen(name));
	memcpy(at + 4 + strlen(name), value, size);
	node->attributes = grown;
	node->attributes_size += need;
	return 0;
}

/* How many of the names from FIRST on fit in a block, and how many bytes they take. */
static uint32_t fill_block(const struct erofs_node *node, uint32_t first, size_t *used)
{
	uint32_t n = first;
	for (*used = 0; n < node->name_count; n++) {
		size_t need = DIRENT + strlen(node->names[n].name);
		if (*used + need > EROFS_BLOCK)
			break;
		*used += need;
	}
	return n - first;
}

static uint64_t directory_size(const struct erofs_node *node)
{
	uint64_t size = 0;
	size_t used = 0;
	for (uint32_t first = 0; first < node->name_count;) {
		first += fill_block(node, first, &used);
		size += first < node->name_count ? EROFS_BLOCK : used;
	}
	return size;
}

static unsigned char type_of(mode_t mode)
{
	static const mode_t types[] = { 0, S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK, S_IFLNK };
	unsigned char type = 1;
	while (type < 7 && types[type] != (mode & S_IFMT))
		type++;
	return type;
}

static void write_directory_block(const struct erofs *erofs, const struct erofs_node *node,
				  uint32_t first, uint32_t count, unsigned char *to)
{
	size_t name_at = (size_t)count * DIRENT;
	for (uint32_t i = 0; i < count; i++) {
		const struct erofs_name *name = &node->names[first + i];
		const struct erofs_node *target = &erofs->nodes[name->node];
		put(to + i * DIRENT, target->at, 8);
		put(to + i * DIRENT + 8, name_at, 2);
		to[i * DIRENT + 10] = type_of(target->mode);
		memcpy(to + name_at, name->name, strlen(name->name));
		name_at += strlen(name->name);
	}
}

static size_t attributes_room(const struct erofs_node *node)
{
	return node->attributes_size ? ATTRIBUTES_HEADER + node->attributes_size : 0;
}

static bool is_inline(const struct erofs_node *node)
{
	return node->data == EROFS_TEXT || node->data == EROFS_DIRECTORY;
}

/* What stands behind an inode: the end of its data, which may not go over a block's edge, or chunks. */
static size_t tail_of(const struct erofs_node *node)
{
	return is_inline(node) ? node->size % EROFS_BLOCK : 0;
}

/* Inodes first, then the whole blocks of directories and links, then what is copied. */
static int place(struct erofs *erofs)
{
	uint64_t at = SUPER_AT + SUPER + (uint64_t)SLOT * erofs->device_count;
	for (uint32_t i = 0; i < erofs->count; i++) {
		struct erofs_node *node = &erofs->nodes[i];
		if (node->data == EROFS_DIRECTORY)
			node->size = directory_size(node);
		size_t before = INODE + attributes_room(node), tail = tail_of(node);
		at = round_up(at, UNIT);
		while (tail && (at + before) % EROFS_BLOCK + tail > EROFS_BLOCK)
			at += UNIT;
		node->at = at / UNIT;
		at += before + tail;
		if (node->data == EROFS_COPY)
			at += 4 * erofs_chunks(node->size);
		if (at / UNIT >= UINT32_MAX)
			return failx("the image has more names and attributes than an index can have");
	}
	uint64_t block = round_up(at, EROFS_BLOCK) / EROFS_BLOCK;
	for (uint32_t i = 0; i < erofs->count; i++) {
		struct erofs_node *node = &erofs->nodes[i];
		if (!is_inline(node))
			continue;
		node->block = block;
		block += node->size / EROFS_BLOCK;
	}
	erofs->size = block * EROFS_BLOCK;
	return 0;
}

int erofs_place(struct erofs *erofs)
{
	if (place(erofs) < 0)
		return -1;
	erofs->need = erofs->size;
	for (uint32_t i = 0; i < erofs->count; i++) {
		const struct erofs_node *node = &erofs->nodes[i];
		int64_t need = node->data == EROFS_COPY ? erofs_copy_need(erofs, node) : 0;
		if (need < 0)
			return -1;
		erofs->need += (uint64_t)need;
	}
	return 0;
}

static void write_inode(struct image *image, const struct erofs_node *node, uint32_t number, int layout,
			uint32_t where)
{
	unsigned char *at = image->bytes + (uint64_t)node->at * UNIT;
	put(at, EXTENDED | layout << 1, 2);
	put(at + 2, node->attributes_size ? 1 + node->attributes_size / 4 : 0, 2);
	put(at + 4, node->mode, 2);
	put(at + 8, node->size, 8);
	put(at + 16, where, 4);
	put(at + 20, number + 1, 4);
	put(at + 24, node->uid, 4);
	put(at + 28, node->gid, 4);
	put(at + 32, node->time.tv_sec, 8);
	put(at + 40, node->time.tv_nsec, 4);
	put(at + 44, node->links, 4);
	if (node->attributes_size)
		memcpy(at + INODE + ATTRIBUTES_HEADER, node->attributes, node->attributes_size);
}

/* The last of a directory's blocks may be the inode's tail. */
static void write_directory(struct image *image, const struct erofs_node *node, unsigned char *tail)
{
	unsigned char *to = image->bytes + (uint64_t)node->block * EROFS_BLOCK;
	size_t used;
	for (uint32_t first = 0; first < node->name_count; to += EROFS_BLOCK) {
		uint32_t count = fill_block(node, first, &used);
		bool last = first + count == node->name_count && used < EROFS_BLOCK;
		write_directory_block(image->erofs, node, first, count, last ? tail : to);
		first += count;
	}
}

static void write_inline(struct image *image, const struct erofs_node *node, uint32_t number)
{
	unsigned char *tail = image->bytes + (uint64_t)node->at * UNIT + INODE + attributes_room(node);
	uint64_t whole = node->size / EROFS_BLOCK * EROFS_BLOCK;
	write_inode(image, node, number, tail_of(node) ? LAYOUT_INLINE : LAYOUT_PLAIN, node->block);
	if (node->data == EROFS_DIRECTORY) {
		write_directory(image, node, tail);
		return;
	}
	memcpy(image->bytes + (uint64_t)node->block * EROFS_BLOCK, node->text, whole);
	memcpy(tail, node->text + whole, node->size - whole);
}

/* As the kernel's new_encode_dev. */
static uint32_t encode_device(dev_t device)
{
	uint32_t low = minor(device);
	return (low & 0xff) | major(device) << 8 | (low & ~0xffu) << 12;
}

/* Where device NUMBER begins, in the blocks that count on through all of them. */
static uint64_t device_block(const struct image *image, uint32_t number)
{
	uint64_t block = image->blocks;
	for (uint32_t i = 0; i < number; i++)
		block += round_up(image->erofs->devices[i], EROFS_BLOCK) / EROFS_BLOCK;
	return block;
}

static int write_node(struct image *image, uint32_t number, int file)
{
	const struct erofs_node *node = &image->erofs->nodes[number];
	switch (node->data) {
	case EROFS_TEXT:
	case EROFS_DIRECTORY:
		write_inline(image, node, number);
		return 0;
	case EROFS_DEVICE:
		write_inode(image, node, number, LAYOUT_PLAIN,
			    device_block(image, node->device) + node->place / EROFS_BLOCK);
		return 0;
	case EROFS_COPY:
		write_inode(image, node, number, LAYOUT_CHUNKS, erofs_chunk_bits(node->size));
		return erofs_copy(image->erofs, node, file, &image->blocks,
				  image->bytes + (uint64_t)node->at * UNIT + INODE +
					  attributes_room(node));
	case EROFS_EMPTY:
		write_inode(image, node, number, LAYOUT_PLAIN, encode_device(node->device_number));
	}
	return 0;
}

static int write_super(struct image *image)
{
	unsigned char *at = image->bytes + SUPER_AT;
	const struct erofs *erofs = image->erofs;
	if (device_block(image, erofs->device_count) >= UINT32_MAX)
		return failx("the image is larger than 2 TiB");
	put(at, MAGIC, 4);
	put(at + 8, COMPAT_MTIME, 4);
	at[12] = 9; /* 1 << 9 is EROFS_BLOCK */
	put(at + 14, erofs->nodes[0].at, 2);
	put(at + 16, erofs->count, 8);
	put(at + 36, image->blocks, 4);
	put(at + 80, INCOMPAT_CHUNKS | INCOMPAT_DEVICES, 4);
	put(at + 86, erofs->device_count, 2);
	put(at + 88, (SUPER_AT + SUPER) / SLOT, 2);
	for (uint32_t i = 0; i < erofs->device_count; i++) {
		unsigned char *slot = at + SUPER + i * SLOT;
		put(slot + 64, round_up(erofs->devices[i], EROFS_BLOCK) / EROFS_BLOCK, 4);
		put(slot + 68, device_block(image, i), 4);
	}
	return 0;
}

/* What is copied goes behind the rest, and its places are known only then: so it is first. */
static int write_all(struct image *image, int file)
{
	struct erofs *erofs = image->erofs;
	for (int copied = 1; copied >= 0; copied--)
		for (uint32_t i = 0; i < erofs->count; i++)
			if ((erofs->nodes[i].data == EROFS_COPY) == copied &&
			    write_node(image, i, file) < 0)
				return -1;
	if (write_super(image) < 0)
		return -1;
	if (erofs_put(erofs, file, image->bytes, erofs->size, 0) < 0)
		return -1;
	return ftruncate(file, image->blocks * EROFS_BLOCK) < 0 ? fail("write the index") : 0;
}

int erofs_write(struct erofs *erofs, int file)
{
	struct image image = { .erofs = erofs, .blocks = erofs->size / EROFS_BLOCK };
	image.bytes = calloc(1, erofs->size);
	int result = image.bytes ? write_all(&image, file) : fail("make the index");
	free(image.bytes);
	return result;
}

void erofs_free(struct erofs *erofs)
{
	for (uint32_t i = 0; i < erofs->count; i++) {
		struct erofs_node *node = &erofs->nodes[i];
		for (uint32_t n = 0; n < node->name_count; n++)
			free(node->names[n].name);
		free(node->names);
		free(node->attributes);
		free(node->text);
	}
	free(erofs->nodes);
}

/* One name of one layer, as overlayfs would show it: metadata, attributes, and where its data are. */
#include "rootfs/index/merge_node.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "rootfs/layer/attributes.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/layer/tree.h"

int merge_blame(const struct merge *merge, const char *name)
{
	return fail("look at %.400s/%s", merge->path, name);
}

/* ATTRIBUTES of the open FILE go to the node, but those that are our own or overlayfs'. */
static int take_attributes(const struct merge *merge, uint32_t node, int file, const char *name)
{
	static char value[XATTR_SIZE_MAX];
	const char *names;
	ssize_t size = attributes_list(file, &names);
	if (size < 0)
		return merge_blame(merge, name);
	for (const char *one = names; one < names + size; one += strlen(one) + 1) {
		if (!attributes_is_kept(one))
			continue;
		ssize_t length = fgetxattr(file, one, value, sizeof(value));
		if (length < 0)
			return merge_blame(merge, name);
		if (erofs_add_attribute(&merge->erofs->nodes[node], one, value, length) < 0)
			return -1;
	}
	return 0;
}

static void take_stat(struct erofs_node *node, const struct stat *st)
{
	node->mode = st->st_mode;
	node->uid = st->st_uid;
	node->gid = st->st_gid;
	node->links = 1;
	node->time = st->st_mtim;
	node->device_number = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? st->st_rdev : 0;
}

/* Its data are in the archive, or it has been written because they could not stay there. */
static int take_data(struct merge *merge, const struct merge_layer *layer, uint32_t number, int file,
		     const char *name)
{
	struct erofs_node *node = &merge->erofs->nodes[number];
	if (fgetxattr(file, TREE_PLACE, &node->place, sizeof(node->place)) == sizeof(node->place)) {
		node->data = EROFS_DEVICE;
		node->device = layer->device;
		return 0;
	}
	if (errno != ENODATA)
		return merge_blame(merge, name);
	node->data = EROFS_COPY;
	if (asprintf(&node->text, "%s/%s/%s", layer->name, merge->path, name) < 0) {
		node->text = NULL;
		return fail("make the index");
	}
	return 0;
}

static int take_file(struct merge *merge, const struct merge_layer *layer, uint32_t node, int above,
		     const char *name, const struct stat *st)
{
	scoped_fd file = openat(above, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return merge_blame(merge, name);
	merge->erofs->nodes[node].size = st->st_size;
	if (st->st_size && take_data(merge, layer, node, file, name) < 0)
		return -1;
	return take_attributes(merge, node, file, name);
}

static int take_link(struct merge *merge, uint32_t number, int above, const char *name)
{
	char target[PATH_BYTES + 1];
	struct erofs_node *node = &merge->erofs->nodes[number];
	ssize_t size = readlinkat(above, name, target, sizeof(target));
	node->text = size > 0 ? malloc(size) : NULL;
	if (!node->text)
		return merge_blame(merge, name);
	memcpy(node->text, target, size);
	node->data = EROFS_TEXT;
	node->size = size;
	return 0;
}

/* A new node, which the next of its names leads to, too. */
static int64_t add_other(struct merge *merge, const struct stat *st)
{
	int64_t node = erofs_add(merge->erofs);
	if (node < 0)
		return -1;
	if (st->st_nlink > 1 && links_add(&merge->links, st, (void *)(uintptr_t)node) < 0)
		return fail("make the index");
	take_stat(&merge->erofs->nodes[node], st);
	return node;
}

int64_t merge_take_other(struct merge *merge, int number, int above, const char *name, const struct stat *st)
{
	uintptr_t known = st->st_nlink > 1 ? (uintptr_t)links_find(&merge->links, st) : 0;
	if (known) {
		merge->erofs->nodes[known].links++;
		return (int64_t)known;
	}
	int64_t node = add_other(merge, st);
	if (node < 0)
		return -1;
	if (S_ISREG(st->st_mode) &&
	    take_file(merge, &merge->layers[number], node, above, name, st) < 0)
		return -1;
	if (S_ISLNK(st->st_mode) && take_link(merge, node, above, name) < 0)
		return -1;
	return node;
}

int64_t merge_take_stat(struct merge *merge, const struct stat *st)
{
	int64_t node = erofs_add(merge->erofs);
	if (node < 0)
		return -1;
	take_stat(&merge->erofs->nodes[node], st);
	merge->erofs->nodes[node].data = EROFS_DIRECTORY;
	return node;
}

int64_t merge_take_directory(struct merge *merge, int above, const char *name, const struct stat *st)
{
	scoped_fd dir = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return merge_blame(merge, name);
	int64_t node = merge_take_stat(merge, st);
	return node < 0 || take_attributes(merge, node, dir, name) < 0 ? -1 : node;
}

int merge_open(const struct merge *merge, int layer)
{
	return openat(merge->layers[layer].dir, merge->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/*
 * The walk. A directory is the sum of those of its name in the layers, from the topmost down to one
 * that is opaque or to something that is no directory; all else is as the topmost layer has it
 * (Documentation/filesystems/overlayfs.rst). Nobody else writes in these layers: paths may be used.
 */
#include "rootfs/index/merge_node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/layer/tree.h"
#include "rootfs/layer/whiteout.h"
#include "rootfs/base/userns.h"

/* A name that a layer has in the directory at hand. */
struct found {
	char *name; /* owned */
	int layer;
};

/* The layers that a directory is made of, topmost first. */
struct members {
	int *layers;
	int count;
};

static int compare(const void *a, const void *b)
{
	const struct found *one = a, *other = b;
	int order = strcmp(one->name, other->name);
	return order ? order : other->layer - one->layer;
}

static int read_names(const struct merge *merge, int layer, struct found **all, size_t *count, size_t *room)
{
	int fd = openat(merge->layers[layer].dir, merge->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	int result = stream ? 0 : merge_blame(merge, "");
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (*count == *room) {
			*room = *room ? *room * 2 : 64;
			struct found *grown = realloc(*all, *room * sizeof(*grown));
			if (!grown) {
				result = fail("make the index");
				break;
			}
			*all = grown;
		}
		(*all)[*count] = (struct found){ strdup(entry->d_name), layer };
		if (!(*all)[(*count)++].name)
			result = fail("make the index");
	}
	if (stream)
		closedir(stream);
	return result;
}

/* Returns 1 where layer LAYER hides there what is below; 0; -1 with a failure. */
static int is_opaque(const struct merge *merge, int layer, const char *name)
{
	scoped_fd above = merge_open(merge, layer);
	scoped_fd dir = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return merge_blame(merge, name);
	return fgetxattr(dir, userns_overlay_opaque(), NULL, 0) >= 0;
}

/* Of the COUNT layers that have the name, those that its directory is made of. */
static int find_members(const struct merge *merge, const struct found *found, size_t count,
			struct members *members)
{
	members->layers = calloc(count, sizeof(*members->layers));
	members->count = 0;
	if (!members->layers)
		return fail("make the index");
	for (size_t i = 0; i < count; i++) {
		struct stat st;
		scoped_fd above = merge_open(merge, found[i].layer);
		if (fstatat(above, found[i].name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return merge_blame(merge, found[i].name);
		if (!S_ISDIR(st.st_mode))
			break;
		members->layers[members->count++] = found[i].layer;
		int opaque = is_opaque(merge, found[i].layer, found[i].name);
		if (opaque)
			return opaque < 0 ? -1 : 0;
	}
	return 0;
}

static int add_name(struct merge *merge, uint32_t dir, char *name, uint32_t node)
{
	struct erofs_node *to = &merge->erofs->nodes[dir];
	to->names[to->name_count++] = (struct erofs_name){ name, node };
	return name ? 0 : fail("make the index");
}

static int merge_directory(struct merge *, uint32_t dir, uint32_t above, const struct members *);

static int enter(struct merge *merge, uint32_t node, uint32_t above, const char *name,
		 const struct members *members)
{
	size_t length = strlen(merge->path);
	if (length + 1 + strlen(name) > PATH_BYTES)
		return failx("%.400s/%s: its name is too long", merge->path, name);
	merge->path[length] = '/';
	strcpy(merge->path + length + 1, name);
	int result = merge_directory(merge, node, above, members);
	merge->path[length] = '\0';
	return result;
}

/* The topmost layer's NAME becomes a node. Returns it; 0, the root's: it is hidden; -1 with a failure. */
static int64_t take(struct merge *merge, int layer, const char *name, bool *directory)
{
	struct stat st;
	scoped_fd above = merge_open(merge, layer);
	if (fstatat(above, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return merge_blame(merge, name);
	*directory = S_ISDIR(st.st_mode);
	if (whiteout_is_one(&st))
		return 0;
	return *directory ? merge_take_directory(merge, above, name, &st)
			  : merge_take_other(merge, layer, above, name, &st);
}

/* COUNT layers have the name, the topmost first. Takes that one's string. */
static int merge_name(struct merge *merge, uint32_t dir, struct found *found, size_t count)
{
	bool directory = false;
	struct members members = { NULL, 0 };
	const char *name = found->name;
	int64_t node = take(merge, found->layer, name, &directory);
	if (node <= 0)
		return (int)node;
	int result = directory ? find_members(merge, found, count, &members) : 0;
	if (add_name(merge, dir, take_ptr(&found->name), node) < 0)
		result = -1;
	if (directory && result == 0) {
		merge->erofs->nodes[dir].links++;
		result = enter(merge, node, dir, name, &members);
	}
	free(members.layers);
	return result;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct erofs_name *)a)->name, ((const struct erofs_name *)b)->name);
}

/* Names that several layers have are next to each other, the topmost layer's first. */
static int merge_sorted(struct merge *merge, uint32_t dir, uint32_t above, struct found *all, size_t count)
{
	struct erofs_node *node = &merge->erofs->nodes[dir];
	node->names = calloc(count + 2, sizeof(*node->names));
	node->links = 2;
	if (!node->names)
		return fail("make the index");
	if (add_name(merge, dir, strdup("."), dir) < 0 || add_name(merge, dir, strdup(".."), above) < 0)
		return -1;
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && !strcmp(all[i].name, all[next].name);)
			next++;
		if (merge_name(merge, dir, &all[i], next - i) < 0)
			return -1;
	}
	node = &merge->erofs->nodes[dir];
	qsort(node->names, node->name_count, sizeof(*node->names), compare_names);
	return 0;
}

static int merge_directory(struct merge *merge, uint32_t dir, uint32_t above, const struct members *members)
{
	struct found *all = NULL;
	size_t count = 0, room = 0;
	int result = 0;
	for (int i = 0; i < members->count && result == 0; i++)
		result = read_names(merge, members->layers[i], &all, &count, &room);
	if (result == 0 && count)
		qsort(all, count, sizeof(*all), compare);
	if (result == 0)
		result = merge_sorted(merge, dir, above, all, count);
	for (size_t i = 0; i < count; i++)
		free(all[i].name);
	free(all);
	return result;
}

/* Its metadata are those of the topmost layer that describes it; else it is root's, 0755. */
static int64_t take_root(struct merge *merge, const struct merge_layer *layers, int count)
{
	struct stat st = { .st_mode = S_IFDIR | 0755 };
	for (int i = count - 1; i >= 0; i--) {
		if (layers[i].has_root)
			return fstat(layers[i].dir, &st) < 0
				       ? merge_blame(merge, "")
				       : merge_take_directory(merge, layers[i].dir, ".", &st);
		if (layers[i].opaque_root)
			break;
	}
	return merge_take_stat(merge, &st);
}

int merge_layers(const struct merge_layer *layers, int count, struct erofs *erofs)
{
	struct merge merge = { .layers = layers, .erofs = erofs, .path = "." };
	struct members members = { calloc(count + 1, sizeof(int)), 0 };
	if (!members.layers)
		return fail("make the index");
	for (int i = count - 1; i >= 0; i--) {
		members.layers[members.count++] = i;
		if (layers[i].opaque_root)
			break;
	}
	int64_t root = take_root(&merge, layers, count);
	int result = root < 0 ? -1 : merge_directory(&merge, root, root, &members);
	free(members.layers);
	links_free(&merge.links, NULL);
	return result;
}

#include "rootfs/layer/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/layer/data.h"
#include "rootfs/layer/link.h"
#include "rootfs/layer/metadata.h"
#include "rootfs/layer/walk.h"
#include "rootfs/layer/whiteout.h"

enum {
	PERMISSIONS = 0777, /* that a file is made with; the other bits come last */
	/* include/linux/kdev_t.h: 12 bits and 20; mknod(2) forgets what is above them. */
	MAJOR_MAX = 0xfff,
	MINOR_MAX = 0xfffff,
};

/* Returns 1 where NAME is there as a directory, 0 where it had to be made; -1 with a failure. */
static int make_directory(struct tree *tree, int dir, const char *name, mode_t mode, bool *opaque)
{
	struct stat st;
	*opaque = false;
	if (mkdirat(dir, name, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return tree_fail(tree, "make the directory");
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_fail(tree, "look at it");
	if (S_ISDIR(st.st_mode))
		return 1;
	*opaque = true;
	if (walk_clear(tree, dir, name) < 0)
		return -1;
	return mkdirat(dir, name, mode) < 0 ? tree_fail(tree, "make the directory") : 0;
}

/* It stays open: most often what comes next is in it. */
static int add_directory(struct tree *tree, const struct entry *entry, int dir, const char *name)
{
	bool opaque;
	int there = make_directory(tree, dir, name, entry->mode & PERMISSIONS, &opaque);
	if (there < 0)
		return -1;
	tree->found.names += !there;
	scoped_fd made = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (made < 0)
		return tree_fail(tree, "open the directory");
	if (there && metadata_drop_attributes(tree, made) < 0)
		return -1;
	if (opaque && whiteout_make_opaque(tree, made) < 0)
		return -1;
	if (metadata_set(tree, made, entry) < 0)
		return -1;
	tree_push(tree, take_fd(&made), &tree->path, entry->times);
	return 0;
}

/* Attributes must wait for the data, and the buffer that they are in does not. */
static int keep_entry(struct tree *tree, const struct entry *entry)
{
	free(tree->kept);
	tree->kept = NULL;
	tree->entry = *entry;
	tree->next = 0;
	tree->run = 0;
	if (!entry->attributes_size)
		return 0;
	tree->kept = malloc(entry->attributes_size);
	if (!tree->kept)
		return tree_fail(tree, "keep its attributes");
	memcpy(tree->kept, entry->attributes, entry->attributes_size);
	tree->entry.attributes = tree->kept;
	return 0;
}

static int add_file(struct tree *tree, const struct entry *entry, int dir, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const mode_t mode = entry->mode & PERMISSIONS;
	tree->file = openat(dir, name, flags, mode);
	if (tree->file < 0 && errno == EEXIST) {
		if (walk_clear(tree, dir, name) < 0)
			return -1;
		tree->file = openat(dir, name, flags, mode);
	}
	if (tree->file < 0)
		return tree_fail(tree, "make the file");
	tree->found.names++;
	return keep_entry(tree, entry);
}

static int make_special(const struct entry *entry, int dir, const char *name)
{
	if (S_ISLNK(entry->mode))
		return symlinkat(entry->link, dir, name);
	return mknodat(dir, name, entry->mode, makedev(entry->major, entry->minor));
}

static bool is_device(const struct entry *entry)
{
	return S_ISCHR(entry->mode) || S_ISBLK(entry->mode);
}

/* Links, devices and fifos: they have no descriptor, and none of the attributes that we keep. */
static int add_special(struct tree *tree, const struct entry *entry, int dir, const char *name)
{
	if (S_ISLNK(entry->mode) && (!entry->link_size || entry->link_size > PATH_BYTES))
		return tree_failx(tree, "its target is empty or longer than 4095 bytes");
	if (S_ISCHR(entry->mode) && !entry->major && !entry->minor)
		return tree_failx(tree, "a character device 0/0 is overlayfs' own");
	if (is_device(entry) && (entry->major > MAJOR_MAX || entry->minor > MINOR_MAX))
		return tree_failx(tree, "its device number is larger than Linux has");
	if (tree->in_namespace && is_device(entry)) {
		tree->found.left_out.devices = true;
		return 0;
	}
	if (make_special(entry, dir, name) < 0) {
		if (errno != EEXIST)
			return tree_fail(tree, "make it");
		if (walk_clear(tree, dir, name) < 0)
			return -1;
		if (make_special(entry, dir, name) < 0)
			return tree_fail(tree, "make it");
	}
	tree->found.names++;
	return metadata_set_special(tree, entry, dir, name);
}

static int add_root(struct tree *tree, const struct entry *entry)
{
	if (!S_ISDIR(entry->mode) || entry->hard_link)
		return tree_failx(tree, "the layer's root is no directory");
	if (tree_leave(tree, 0) < 0)
		return -1;
	tree->found.has_root = true;
	struct level *root = &tree->levels[0];
	root->times[0] = entry->times[0];
	root->times[1] = entry->times[1];
	return metadata_drop_attributes(tree, root->dir) < 0 ? -1
						    : metadata_set(tree, root->dir, entry);
}

static int add_plain(struct tree *tree, const struct entry *entry, int dir, const char *name)
{
	if (entry->hard_link)
		return link_add(tree, entry, dir, name);
	switch (entry->mode & S_IFMT) {
	case S_IFDIR:
		return add_directory(tree, entry, dir, name);
	case S_IFREG:
		return add_file(tree, entry, dir, name);
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return add_special(tree, entry, dir, name);
	}
	return tree_failx(tree, "its type is not one that a layer can have");
}

static int check(const struct tree *tree, const struct entry *entry)
{
	if (entry->uid > UINT32_MAX - 1 || entry->gid > UINT32_MAX - 1)
		return tree_failx(tree, "its owner is not between 0 and 4294967294");
	if (entry->size < 0)
		return tree_failx(tree, "its size is negative");
	for (int i = 0; i < 2; i++)
		if (entry->times[i].tv_nsec < 0 || entry->times[i].tv_nsec > 999999999)
			return tree_failx(tree, "its time makes no sense");
	return 0;
}

static int add_below(struct tree *tree, const struct entry *entry)
{
	struct path *path = &tree->path;
	int depth = path->kind == PATH_OPAQUE ? path->depth : path->depth - 1;
	int dir = walk_enter(tree, path, depth);
	if (dir < 0)
		return -1;
	if (path->kind == PATH_OPAQUE)
		return whiteout_make_opaque(tree, dir);
	const char *name = path_component(path, path->depth - 1);
	if (path->kind == PATH_WHITEOUT)
		return whiteout_add(tree, dir, name);
	tree->found.disk += 4096;
	return add_plain(tree, entry, dir, name);
}

static int end_file(struct tree *tree)
{
	if (tree->file < 0)
		return 0;
	scoped_fd file = tree->file;
	if (tree->entry.whole)
		tree->entry.size = tree->next;
	int result = tree->run ? data_end_run(tree) : 0;
	tree->file = -1;
	if (result < 0)
		return -1;
	/* What the data don't reach is a hole. */
	if ((tree->run || tree->next < tree->entry.size) && ftruncate(file, tree->entry.size) < 0)
		return tree_fail(tree, "set its size");
	tree->found.content += tree->entry.size;
	return metadata_set(tree, file, &tree->entry) < 0 ? -1
							       : metadata_set_times(tree, file, &tree->entry);
}

int entry_add(struct tree *tree, const struct entry *entry)
{
	if (end_file(tree) < 0)
		return -1;
	const char *wrong = path_parse(&tree->path, entry->path, entry->path_size);
	if (wrong)
		return failx("%.400s: %s", entry->path, wrong);
	tree->found.entries++;
	if (tree->path.kind == PATH_IGNORED)
		return 0;
	if (check(tree, entry) < 0)
		return -1;
	return tree->path.kind == PATH_ROOT ? add_root(tree, entry) : add_below(tree, entry);
}

int entry_finish(struct tree *tree)
{
	if (end_file(tree) < 0 || tree_leave(tree, 0) < 0)
		return -1;
	if (futimens(tree->levels[0].dir, tree->levels[0].times) < 0)
		return fail("set the times of the layer's root");
	return 0;
}

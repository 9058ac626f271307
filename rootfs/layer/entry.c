/*
 * One entry of a layer: what is made, in which order, and what is refused (IMAGES.md rules 10 to
 * 13 and 19 to 21).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "rootfs/layer/attributes.h"
#include "rootfs/decode/records.h"
#include "rootfs/base/err.h"
#include "rootfs/layer/remove.h"
#include "rootfs/base/scoped.h"
#include "rootfs/layer/tree.h"

enum {
	ATTRIBUTE_NAME = 255, /* XATTR_NAME_MAX */
	PERMISSIONS = 0777, /* that a file is made with; the other bits come last */
	/* include/linux/kdev_t.h: 12 bits and 20; mknod(2) forgets what is above them. */
	MAJOR_MAX = 0xfff,
	MINOR_MAX = 0xfffff,
};

/* ext4 has 4 KB for the attributes of a file, and what goes beyond them is ENOSPC, too. Keeps errno. */
static void explain_space(int file)
{
	struct statfs system;
	int err = errno;
	if (fstatfs(file, &system) == 0 && system.f_bfree > 256)
		hint("the disk isn't full: its file system has no room for so much beside one file");
	errno = err;
}

static int set_attribute(struct tree *tree, int file, const char *name, const void *value,
			 size_t size)
{
	if (!attributes_is_kept(name) || fsetxattr(file, name, value, size, 0) == 0)
		return 0;
	if (errno == ENOSPC)
		explain_space(file);
	/* EPERM: user.* is for files and directories alone, xattr(7) */
	if (errno != ENOTSUP && errno != EPERM) {
		char why[ATTRIBUTE_NAME + 64];
		snprintf(why, sizeof(why), "set its attribute %s", name);
		return tree_fail(tree, why);
	}
	left_out_attribute(&tree->found.left_out, name);
	return 0;
}

/* The records are the decoder's: their sizes may be anything. */
static int set_attributes(struct tree *tree, int file, const struct entry *entry)
{
	const unsigned char *at = entry->attributes;
	size_t left = entry->attributes_size;
	while (left) {
		struct attribute_record record;
		char name[ATTRIBUTE_NAME + 1];
		if (left < sizeof(record))
			return tree_failx(tree, "its attributes make no sense");
		memcpy(&record, at, sizeof(record));
		at += sizeof(record);
		left -= sizeof(record);
		if (record.name_size > left || record.value_size > left - record.name_size)
			return tree_failx(tree, "its attributes make no sense");
		if (record.name_size > ATTRIBUTE_NAME)
			return tree_failx(tree,
					  "the name of an attribute is longer than 255 bytes");
		memcpy(name, at, record.name_size);
		name[record.name_size] = '\0';
		if (set_attribute(tree, file, name, at + record.name_size, record.value_size) < 0)
			return -1;
		at += record.name_size + record.value_size;
		left -= record.name_size + record.value_size;
	}
	return 0;
}

/*
 * EINVAL: an id that the user namespace doesn't have (user_namespaces(7)). The file is root's then,
 * and loses its setuid bits, which were another's. Returns the bits of the mode that may be set, or
 * -1.
 */
static int set_owner(struct tree *tree, const struct entry *entry, int at, const char *name)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
	if (fchownat(at, name, entry->uid, entry->gid, flags) == 0)
		return 07777;
	if (errno != EINVAL || !tree->in_namespace)
		return tree_fail(tree, "set its owner");
	tree->found.left_out.owners = true;
	return fchownat(at, name, 0, 0, flags) < 0 ? tree_fail(tree, "set its owner") : 01777;
}

/*
 * Mostly a file has been made with what it shall have, and a look costs less than to set it again.
 * Its mode may differ by a default ACL, its group by a setgid directory above or a mount option.
 */
static int set_owner_and_mode(struct tree *tree, int file, const struct entry *entry)
{
	struct stat st;
	int bits = 07777;
	if (fstat(file, &st) < 0)
		return tree_fail(tree, "look at it");
	bool owned = st.st_uid == entry->uid && st.st_gid == entry->gid;
	if (!owned && (bits = set_owner(tree, entry, file, "")) < 0)
		return -1;
	if (owned && (st.st_mode & 07777) == (entry->mode & 07777))
		return 0;
	return fchmod(file, entry->mode & bits) < 0 ? tree_fail(tree, "set its mode") : 0;
}

/* chown(2) clears the setuid bits and capabilities, writing clears capabilities: so this order. */
int tree_set_metadata(struct tree *tree, int file, const struct entry *entry)
{
	return set_owner_and_mode(tree, file, entry) < 0 ? -1 : set_attributes(tree, file, entry);
}

int tree_set_times(struct tree *tree, int file, const struct entry *entry)
{
	return futimens(file, entry->times) < 0 ? tree_fail(tree, "set its times") : 0;
}

/* A directory on a directory takes the new metadata: the old one's attributes go. */
static int drop_attributes(struct tree *tree, int dir)
{
	const char *names;
	ssize_t size = attributes_list(dir, &names);
	if (size < 0)
		return tree_fail(tree, "list its attributes");
	for (const char *name = names; name < names + size; name += strlen(name) + 1)
		if (attributes_is_kept(name) && fremovexattr(dir, name) < 0)
			return tree_fail(tree, "remove an attribute");
	return 0;
}

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
	if (tree_clear(tree, dir, name) < 0)
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
	if (there && drop_attributes(tree, made) < 0)
		return -1;
	if (opaque && tree_make_opaque(tree, made) < 0)
		return -1;
	if (tree_set_metadata(tree, made, entry) < 0)
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
		if (tree_clear(tree, dir, name) < 0)
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

static int set_special_metadata(struct tree *tree, const struct entry *entry, int dir,
				const char *name)
{
	int bits = set_owner(tree, entry, dir, name);
	if (bits < 0)
		return -1;
	/* We have just made it, and nobody else writes here: it is what NAME says, and no link. */
	if (!S_ISLNK(entry->mode) && fchmodat(dir, name, entry->mode & bits, 0) < 0)
		return tree_fail(tree, "set its mode");
	if (utimensat(dir, name, entry->times, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_fail(tree, "set its times");
	return 0;
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
		if (tree_clear(tree, dir, name) < 0)
			return -1;
		if (make_special(entry, dir, name) < 0)
			return tree_fail(tree, "make it");
	}
	tree->found.names++;
	return set_special_metadata(tree, entry, dir, name);
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
	return drop_attributes(tree, root->dir) < 0 ? -1
						    : tree_set_metadata(tree, root->dir, entry);
}

static int add_plain(struct tree *tree, const struct entry *entry, int dir, const char *name)
{
	if (entry->hard_link)
		return tree_add_link(tree, entry, dir, name);
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
	int dir = tree_enter(tree, path, depth);
	if (dir < 0)
		return -1;
	if (path->kind == PATH_OPAQUE)
		return tree_make_opaque(tree, dir);
	const char *name = path_component(path, path->depth - 1);
	if (path->kind == PATH_WHITEOUT)
		return tree_add_whiteout(tree, dir, name);
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
	int result = tree->run ? tree_end_run(tree) : 0;
	tree->file = -1;
	if (result < 0)
		return -1;
	/* What the data don't reach is a hole. */
	if ((tree->run || tree->next < tree->entry.size) && ftruncate(file, tree->entry.size) < 0)
		return tree_fail(tree, "set its size");
	tree->found.content += tree->entry.size;
	return tree_set_metadata(tree, file, &tree->entry) < 0 ? -1
							       : tree_set_times(tree, file, &tree->entry);
}

int tree_add(struct tree *tree, const struct entry *entry)
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

int tree_finish(struct tree *tree)
{
	if (end_file(tree) < 0 || tree_leave(tree, 0) < 0)
		return -1;
	if (futimens(tree->levels[0].dir, tree->levels[0].times) < 0)
		return fail("set the times of the layer's root");
	return 0;
}

#include "rootfs/layer/whiteout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "rootfs/base/scoped.h"

bool whiteout_is_one(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * DIR or one above it is opaque: then nothing of the layers below can be seen in it. Asked of the
 * file system, not of the names, since a symbolic link may have led here.
 */
static int look_above(struct tree *tree, int dir)
{
	struct stat root, here;
	scoped_fd at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fstat(tree->levels[0].dir, &root) < 0)
		return tree_fail(tree, "look at the layer's root");
	for (;;) {
		if (at < 0 || fstat(at, &here) < 0)
			return tree_fail(tree, "look at the directories above");
		if (same(&here, &root))
			return tree->found.opaque_root;
		if (fgetxattr(at, tree->opaque, NULL, 0) >= 0)
			return 1;
		int above = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = above;
	}
}

/* As look_above, once for all entries of the directory at hand. */
static int is_below_opaque(struct tree *tree, int dir)
{
	struct level *level = &tree->levels[tree->depth];
	if (level->dir != dir)
		return look_above(tree, dir);
	if (level->hidden < 0)
		level->hidden = look_above(tree, dir);
	return level->hidden;
}

static bool has_mark(const struct tree *tree, int dir)
{
	return fgetxattr(dir, tree->opaque, NULL, 0) >= 0;
}

static int purge(struct tree *tree, int dir);

static int purge_one(struct tree *tree, int dir, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_fail(tree, "look for whiteouts in it");
	if (whiteout_is_one(&st)) {
		tree->recount = true;
		return unlinkat(dir, name, 0) < 0 ? tree_fail(tree, "remove a whiteout in it") : 0;
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	scoped_fd below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0)
		return tree_fail(tree, "look for whiteouts in it");
	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	/* One that is opaque has been looked into already, and gets no whiteouts any more. */
	if (has_mark(tree, below))
		return 0;
	if (purge(tree, below) < 0)
		return -1;
	return futimens(below, times) < 0 ? tree_fail(tree, "set its times") : 0;
}

/*
 * In a directory that is not merged with one below, readdir would show a whiteout: none may stay
 * (rule 16).
 */
static int purge(struct tree *tree, int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream)
		return tree_fail(tree, "look for whiteouts in it");
	int result = 0;
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));)
		if (entry->d_type != DT_REG && entry->d_type != DT_LNK &&
		    strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			result = purge_one(tree, dir, entry->d_name);
	closedir(stream);
	return result;
}

/* Returns 1; 0: it was so already; -1. */
static int mark(struct tree *tree, int dir)
{
	struct stat root, here;
	if (fstat(tree->levels[0].dir, &root) < 0 || fstat(dir, &here) < 0)
		return tree_fail(tree, "look at it");
	/*
	 * overlayfs ignores the attribute on a layer's root: the lower chain is cut there instead
	 * (rule 17).
	 */
	bool is_root = same(&root, &here), was = is_root ? tree->found.opaque_root : has_mark(tree, dir);
	if (was)
		return 0;
	if (is_root)
		tree->found.opaque_root = true;
	else if (fsetxattr(dir, tree->opaque, "y", 1, 0) < 0)
		return tree_fail(tree, "make it opaque");
	return 1;
}

/*
 * A directory is looked through for whiteouts once: when it, or one above it, becomes opaque. Archives may say
 * so again and again.
 */
int whiteout_make_opaque(struct tree *tree, int dir)
{
	int hidden = is_below_opaque(tree, dir), marked = hidden < 0 ? -1 : mark(tree, dir);
	if (marked <= 0 || hidden)
		return marked < 0 ? -1 : 0;
	for (int i = 0; i <= tree->depth; i++)
		tree->levels[i].hidden = -1;
	return purge(tree, dir);
}

/*
 * A whiteout acts on the layers below, whether it comes before or after what this layer has of
 * the name (rule 15).
 */
int whiteout_add(struct tree *tree, int dir, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISDIR(st.st_mode))
			return 0;
		scoped_fd below = openat(dir, name,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0)
			return tree_fail(tree, "open the directory");
		const struct timespec times[2] = { st.st_atim, st.st_mtim };
		if (whiteout_make_opaque(tree, below) < 0)
			return -1;
		return futimens(below, times) < 0 ? tree_fail(tree, "set its times") : 0;
	}
	if (errno != ENOENT)
		return tree_fail(tree, "look at it");
	int hidden = is_below_opaque(tree, dir);
	if (hidden)
		return hidden < 0 ? -1 : 0;
	if (mknodat(dir, name, S_IFCHR, makedev(0, 0)) < 0)
		return tree_fail(tree, "make a whiteout");
	tree->found.names++;
	if (tree->path.depth > 1)
		tree->found.whiteouts = tree->found.implied = true;
	return 0;
}

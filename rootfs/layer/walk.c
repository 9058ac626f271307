#include "rootfs/layer/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/openat2.h"
#include "rootfs/layer/metadata.h"
#include "rootfs/layer/remove.h"
#include "rootfs/layer/whiteout.h"

/* Bytes of the names of implied directories, which are sorted in memory. */
enum { IMPLIED_MAX = 64 << 20 };

/* Names that lead through symbolic links: each may cost the kernel a walk over 40 targets of 4 KiB. */
enum { FOLLOWED_MAX = 1 << 17 };

static const struct entry implied_metadata = { .mode = S_IFDIR | 0755 };

/* Its times as they are before we write in it. */
static int push_as_it_is(struct tree *tree, int dir, const struct path *path)
{
	struct stat st;
	if (fstat(dir, &st) < 0) {
		close(dir);
		return tree_fail(tree, "look at its directory");
	}
	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	tree_push(tree, dir, path, times);
	return 0;
}

static int open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A symbolic link that this layer made: it may lead anywhere in the layer, and nowhere else. */
static int open_through_link(struct tree *tree, const struct path *path, int depth)
{
	char name[PATH_BYTES + 1];
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	if (++tree->followed > FOLLOWED_MAX)
		return tree_failx(tree, "too many names of the layer lead through symbolic links");
	path_join(path, depth, name);
	int dir = sys_openat2(tree->levels[0].dir, name, &how);
	if (dir < 0)
		return tree_fail(tree, "follow the symbolic link that is its directory");
	tree->stale = tree->recount = true;
	return dir;
}

/* For the pass that gives the last COUNT of them, just made, the metadata of the layers below. */
static int note_implied(struct tree *tree, const struct path *path, int depth, int count)
{
	char name[PATH_BYTES + 1], text[PATH_BYTES + 16];
	path_join(path, depth, name);
	int size = snprintf(text, sizeof(text), "%d/%s", count, name) + 1;
	tree->found.implied = true;
	tree->implied_bytes += size;
	if (tree->implied_bytes > IMPLIED_MAX)
		return tree_failx(tree, "too many directories of the layer have no entry");
	return write(tree->implied, text, size) < 0 ? tree_fail(tree, "note its directory") : 0;
}

static int make_implied(struct tree *tree, int at, const struct path *path, int depth)
{
	const char *name = path_component(path, depth - 1);
	if (mkdirat(at, name, 0755) < 0)
		return tree_fail(tree, "make its directory");
	tree->found.names++;
	int dir = open_dir(at, name);
	if (dir < 0)
		return tree_fail(tree, "open its directory");
	if (metadata_set(tree, dir, &implied_metadata) < 0 ||
	    metadata_set_times(tree, dir, &implied_metadata) < 0) {
		close(dir);
		return -1;
	}
	return dir;
}

/* This layer had removed what is below: the directory that comes now has nothing of it. */
static int replace_whiteout(struct tree *tree, int at, const struct path *path, int depth)
{
	if (unlinkat(at, path_component(path, depth - 1), 0) < 0)
		return tree_fail(tree, "remove a whiteout");
	tree->recount = true;
	int dir = make_implied(tree, at, path, depth);
	if (dir < 0)
		return -1;
	if (whiteout_make_opaque(tree, dir) < 0) {
		close(dir);
		return -1;
	}
	return dir;
}

static int open_other(struct tree *tree, int at, const struct path *path, int depth)
{
	struct stat st;
	if (fstatat(at, path_component(path, depth - 1), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_fail(tree, "look at its directory");
	if (S_ISLNK(st.st_mode))
		return open_through_link(tree, path, depth);
	if (whiteout_is_one(&st))
		return replace_whiteout(tree, at, path, depth);
	return tree_failx(tree, "what should be its directory is none");
}

/* Directory number DEPTH of PATH, below AT. IMPLIED: it had to be made. */
static int open_level(struct tree *tree, int at, const struct path *path, int depth, bool *implied)
{
	int dir = open_dir(at, path_component(path, depth - 1));
	if (dir >= 0)
		return dir;
	if (errno == ENOTDIR || errno == ELOOP)
		return open_other(tree, at, path, depth);
	if (errno != ENOENT)
		return tree_fail(tree, "open its directory");
	*implied = true;
	return make_implied(tree, at, path, depth);
}

static int common(const struct tree *tree, const struct path *path, int depth)
{
	int i = 0;
	while (i < tree->depth && i < depth &&
	       !strcmp(path_component(&tree->open, i), path_component(path, i)))
		i++;
	return i;
}

int walk_enter(struct tree *tree, const struct path *path, int depth)
{
	int keep = tree->stale ? 0 : common(tree, path, depth);
	if (tree_leave(tree, keep) < 0)
		return -1;
	tree->stale = false;
	int first = 0; /* below the first that is implied, all are */
	while (tree->depth < depth) {
		bool implied = false;
		int dir = open_level(tree, tree->levels[tree->depth].dir, path, tree->depth + 1, &implied);
		if (dir < 0 || push_as_it_is(tree, dir, path) < 0)
			return -1;
		if (implied && !first)
			first = tree->depth;
	}
	if (first && note_implied(tree, path, depth, depth - first + 1) < 0)
		return -1;
	return tree->levels[depth].dir;
}

int walk_clear(struct tree *tree, int dir, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		tree->found.replaced = true;
	if (tree_remove(dir, name) < 0)
		return tree_fail(tree, "remove what was in its place");
	tree->stale = tree->recount = true;
	return 0;
}

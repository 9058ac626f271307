#include "rootfs/layer/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/userns.h"

static void name_entry(const struct tree *tree, char *name)
{
	path_join(&tree->path, tree->path.depth, name);
	if (!*name)
		strcpy(name, "/");
}

static void explain_space(const struct tree *tree)
{
	struct statfs system;
	if (fstatfs(tree->levels[0].dir, &system) == 0 && system.f_files && !system.f_ffree)
		hint("the disk has no inodes left: each file, directory and link takes one");
	hint("all layers together need at least %llu MiB; %llu MiB of this one had been written",
	     (unsigned long long)(tree->need + (1 << 20) - 1) >> 20,
	     (unsigned long long)tree->found.disk >> 20);
}

int tree_fail(const struct tree *tree, const char *why)
{
	char name[PATH_BYTES + 1];
	int err = errno;
	name_entry(tree, name);
	if (err == ENOSPC || err == EDQUOT)
		explain_space(tree);
	errno = err;
	return fail("%.400s: %s", name, why);
}

int tree_failx(const struct tree *tree, const char *why)
{
	char name[PATH_BYTES + 1];
	name_entry(tree, name);
	return failx("%.400s: %s", name, why);
}

int tree_open(struct tree *tree, int root, int implied)
{
	memset(tree, 0, offsetof(struct tree, path));
	tree->implied = implied;
	tree->file = -1;
	tree->kept = NULL;
	tree->blob = NULL;
	tree->in_namespace = userns_inside();
	tree->opaque = userns_overlay_opaque();
	tree->levels[0].dir = root;
	tree->levels[0].hidden = -1;
	if (fchmod(root, 0755) < 0)
		return fail("set the mode of the layer's root");
	return 0;
}

void tree_close(struct tree *tree)
{
	for (; tree->depth; tree->depth--)
		close(tree->levels[tree->depth].dir);
	if (tree->file >= 0)
		close(tree->file);
	tree->file = -1;
	free(tree->kept);
	tree->kept = NULL;
}

int tree_leave(struct tree *tree, int depth)
{
	int result = 0;
	for (; tree->depth > depth; tree->depth--) {
		struct level *level = &tree->levels[tree->depth];
		if (futimens(level->dir, level->times) < 0)
			result = -1;
		close(level->dir);
	}
	return result < 0 ? fail("set a directory's times") : 0;
}

void tree_push(struct tree *tree, int dir, const struct path *path, const struct timespec times[2])
{
	int depth = ++tree->depth;
	struct level *level = &tree->levels[depth];
	const char *name = path_component(path, depth - 1);
	level->dir = dir;
	level->hidden = -1;
	level->times[0] = times[0];
	level->times[1] = times[1];
	tree->open.at[depth - 1] = path->at[depth - 1];
	strcpy(tree->open.text + path->at[depth - 1], name);
}

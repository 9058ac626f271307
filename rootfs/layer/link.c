#include "rootfs/layer/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/openat2.h"
#include "rootfs/base/scoped.h"
#include "rootfs/layer/walk.h"
#include "rootfs/layer/whiteout.h"

static int name_both(const struct tree *tree, const struct entry *entry, const char *why)
{
	char name[PATH_BYTES + 1];
	path_join(&tree->path, tree->path.depth, name);
	return failx("%.400s: a link to %.400s: %s", name, entry->link, why);
}

/* The directory that the target is in: of this layer, links on the way followed inside it. */
static int open_parent(const struct tree *tree, const struct path *target)
{
	char name[PATH_BYTES + 1];
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	path_join(target, target->depth - 1, name);
	return sys_openat2(tree->levels[0].dir, *name ? name : ".", &how);
}

static const char *unfit(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return "that is a directory";
	if (whiteout_is_one(st))
		return "this layer has removed that";
	if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))
		return "that is neither a file nor a symbolic link";
	return NULL;
}

/* census.h: what a file holds is divided among its names. */
static void count(struct tree *tree, const struct stat *st)
{
	uint64_t size = st->st_size, names = st->st_nlink;
	tree->found.names++;
	if (S_ISREG(st->st_mode))
		tree->found.content += (names + 1) * (size / (names + 1)) - names * (size / names);
}

static int make(struct tree *tree, int from, const char *target, int dir, const char *name)
{
	if (linkat(from, target, dir, name, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return tree_fail(tree, "link it");
	if (walk_clear(tree, dir, name) < 0)
		return -1;
	return linkat(from, target, dir, name, 0) < 0 ? tree_fail(tree, "link it") : 0;
}

int link_add(struct tree *tree, const struct entry *entry, int dir, const char *name)
{
	static struct path target;
	struct stat st, there;
	const char *wrong = path_parse_target(&target, entry->link, entry->link_size);
	if (wrong)
		return name_both(tree, entry, wrong);
	const char *last = path_component(&target, target.depth - 1);
	scoped_fd from = open_parent(tree, &target);
	if (from < 0 || fstatat(from, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return name_both(tree, entry, "this layer has no such file");
	wrong = unfit(&st);
	if (wrong)
		return name_both(tree, entry, wrong);
	/* A link to itself does nothing; above all it does not remove itself first. */
	if (fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_ino == st.st_ino &&
	    there.st_dev == st.st_dev)
		return 0;
	/* Removing a directory at NAME could take the target with it. */
	if (fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(there.st_mode)) {
		if (walk_clear(tree, dir, name) < 0)
			return -1;
		if (fstatat(from, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return name_both(tree, entry, "this layer has no such file any more");
	}
	count(tree, &st);
	return make(tree, from, last, dir, name);
}

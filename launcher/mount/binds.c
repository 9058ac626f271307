#include "launcher/mount/binds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/mount/attach.h"
#include "launcher/mount/files.h"
#include "launcher/mount/place.h"
#include "launcher/mount/target.h"
#include "rootfs/base/err.h"
#include "rootfs/base/paths.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/sys.h"

/* DEEP: AT_RECURSIVE, with what is mounted below SOURCE; or 0. Returns what is open, in BINDS; NULL with a failure. */
static struct bind *open_bind(struct binds *binds, const char *source, const char *target, unsigned deep)
{
	struct stat stat;
	if (binds->count == BINDS_MAX) {
		failx("more than %d volumes", BINDS_MAX);
		return NULL;
	}
	scoped_fd tree = sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | deep);
	if (tree < 0 && errno == EINVAL && !deep) {
		fail("bind %s alone", source);
		hint("in a user namespace what is mounted below it cannot be left out");
		return NULL;
	}
	if (tree < 0 || fstat(tree, &stat) < 0) {
		path_fail("bind", source);
		return NULL;
	}
	struct bind *bind = &binds->at[binds->count++];
	*bind = (struct bind){ .tree = take_fd(&tree), .target = target, .directory = S_ISDIR(stat.st_mode) };
	return bind;
}

/* docker-run(1): a directory of the host's that -v names and that is not there is made. */
static int open_volume(struct binds *binds, const struct mount *mount)
{
	if (mount->create && access(mount->source, F_OK) < 0 && errno == ENOENT &&
	    target_make(mount->source, true) < 0)
		return -1;
	struct stat stat;
	struct bind *bind = open_bind(binds, mount->source, mount->target, mount->alone ? 0 : AT_RECURSIVE);
	if (!bind)
		return -1;
	bind->flags = mount->flags & (MS_RDONLY | MS_NODEV);
	/* A device that is asked for by its own name */
	if (fstat(bind->tree, &stat) == 0 && (S_ISCHR(stat.st_mode) || S_ISBLK(stat.st_mode)))
		bind->flags &= ~(unsigned long)MS_NODEV;
	bind->propagation = mount->propagation ? mount->propagation : MS_PRIVATE | MS_REC;
	return 0;
}

int binds_open_volumes(struct binds *binds, const struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (spec->mounts[i].kind == MOUNT_BIND && open_volume(binds, &spec->mounts[i]) < 0)
			return -1;
	return 0;
}

/* With --ipc host they are the host's own, as far as it has them. */
static int open_host_ipc(struct binds *binds)
{
	for (int i = 0; i < IPC_DIRECTORIES; i++)
		if (access(ipc_directories[i], F_OK) == 0 &&
		    !open_bind(binds, ipc_directories[i], ipc_directories[i], AT_RECURSIVE))
			return -1;
	return 0;
}

/* With --ipc container: they are that one's, and have been opened there. */
static void take_ipc(struct binds *binds, struct ipc *ipc)
{
	for (int i = 0; i < IPC_DIRECTORIES; i++)
		if (ipc->trees[i] >= 0)
			binds->at[binds->count++] = (struct bind){
				.tree = take_fd(&ipc->trees[i]),
				.target = ipc_directories[i],
				.directory = true,
			};
}

int binds_open_own(struct binds *binds, const struct spec *spec, struct ipc *ipc)
{
	if (files_write(spec) < 0)
		return -1;
	for (int i = 0; i < FILES_COUNT; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", spec->root.staging, own_files[i].name);
		if (!open_bind(binds, path, own_files[i].target, 0))
			return -1;
	}
	if (spec->ipc == IPC_HOST && open_host_ipc(binds) < 0)
		return -1;
	take_ipc(binds, ipc);
	return 0;
}

static int put(const struct bind *bind, const struct mounts *mounts, unsigned long flags)
{
	scoped_fd place = place_open(mounts, bind->target, bind->directory, bind->tree);
	if (place < 0)
		return -1;
	if (attach(mounts, bind->tree, place, bind->flags | flags) < 0)
		return fail("mount %s", bind->target);
	if (bind->propagation && attach_change(mounts, bind->tree, bind->propagation) < 0)
		return fail("set the propagation of %s", bind->target);
	return 0;
}

/* The working directory is a place that no path leads away from. */
static int put_tmpfs(const struct mount *mount_, const struct mounts *mounts, unsigned long flags)
{
	scoped_fd place = place_open(mounts, mount_->target, true, -1);
	if (place < 0)
		return -1;
	if (fchdir(place) < 0 || mount("tmpfs", ".", "tmpfs", mount_->flags | flags, mount_->data) < 0)
		return fail("--tmpfs %s%s%s", mount_->target, *mount_->data ? ":" : "", mount_->data);
	return 0;
}

/*
 * A mount of its own keeps its own flags when the root becomes read-only. What lies on another mount already,
 * such as /dev, needs none.
 */
static int put_own_volume(const struct mount *mount, const struct mounts *mounts, unsigned long flags)
{
	struct stat here, root;
	scoped_fd place = place_open(mounts, mount->target, true, -1);
	if (place < 0)
		return -1;
	if (fstat(place, &here) < 0 || stat("/", &root) < 0)
		return fail("look at %s", mount->target);
	if (here.st_dev != root.st_dev)
		return 0;
	scoped_fd tree = sys_open_tree(place, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
	if (tree < 0 || attach(mounts, tree, place, mount->flags | flags) < 0)
		return fail("mount the volume %s", mount->target);
	return 0;
}

int binds_put_volumes(const struct binds *binds, const struct mounts *mounts, const struct spec *spec,
		      unsigned long flags)
{
	const struct bind *next = binds->at;
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct mount *mount = &spec->mounts[i];
		int result = mount->kind == MOUNT_BIND	? put(next++, mounts, flags)
			     : mount->kind == MOUNT_TMPFS ? put_tmpfs(mount, mounts, flags)
							  : put_own_volume(mount, mounts, flags);
		if (result < 0)
			return -1;
	}
	return 0;
}

int binds_put_own(const struct binds *binds, const struct mounts *mounts, unsigned long flags)
{
	for (size_t i = 0; i < binds->count; i++)
		if (put(&binds->at[i], mounts, flags) < 0)
			return -1;
	return 0;
}

void binds_close(const struct binds *binds)
{
	for (size_t i = 0; i < binds->count; i++)
		close(binds->at[i].tree);
}

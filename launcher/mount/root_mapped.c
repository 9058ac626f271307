/*
 * The root file system of a container whose root is not the machine's. Only the machine's own root may
 * map the layers' ids and mount an overlay on them; the container's user namespace may mount none of it.
 *
 *	root_build   outside, by a process that has a mount namespace of its own for as long as it takes
 *	root_attach  inside, where the result is put in place
 */
#include "launcher/mount/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "rootfs/base/child.h"
#include "rootfs/base/sys.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

struct build {
	const struct root *root;
	const struct devices *devices;
	int userns;
	int tree;
};

static int explain_mapping(const char *base)
{
	int error = errno;
	fail("--userns: map the owners of %s", base);
	if (error == ENOSYS)
		return hint("it takes mount_setattr(2): Linux 5.12, and 5.19 for overlayfs to go with it");
	if (error == EINVAL)
		return hint("its file system has to support that: ext4 and XFS do since Linux 5.12, Btrfs "
			    "since 5.15, F2FS since 5.18, tmpfs since 6.3");
	return -1;
}

int root_map(const struct root *root, int userns, const char *to)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY,
		.userns_fd = (uint64_t)userns,
	};
	scoped_fd layers = sys_open_tree(AT_FDCWD, root->base, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (layers < 0)
		return fail("open %s", root->base);
	if (syscall(SYS_mount_setattr, layers, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return explain_mapping(root->base);
	if (mkdir(to, 0700) < 0 ||
	    sys_move_mount(layers, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fail("mount %s", to);
	return 0;
}

/* What it opens is its parent's, which shares its memory and its descriptors. */
static int build(void *argument)
{
	struct build *build = argument;
	char devices[PATH_MAX];
	if (root_mount(build->root, build->userns) < 0)
		return 1;
	root_devices(build->root, devices, sizeof(devices));
	umask(0); /* ours alone */
	if (devices_stage(devices, build->devices, &build->root->ids) < 0)
		return 1;
	build->tree = sys_open_tree(AT_FDCWD, build->root->staging,
				    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return build->tree < 0 ? fail("take the container's root along") : 0;
}

void root_devices(const struct root *root, char *path, size_t size)
{
	snprintf(path, size, "%s/devices", root->staging);
}

int root_build(const struct root *root, const struct devices *devices, int userns)
{
	struct build build_ = { root, devices, userns, -1 };
	return child_vfork(CLONE_NEWNS, build, &build_) < 0 ? -1 : build_.tree;
}

int root_attach(const struct root *root, int tree)
{
	if (root_part(root) < 0)
		return -1;
	if (sys_move_mount(tree, "", AT_FDCWD, root->staging, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fail("mount the container's root on %s", root->staging);
	return 0;
}

#include "launcher/mount/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "launcher/mount/attach.h"
#include "rootfs/base/sys.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct kernel_mount {
	const char *type, *target;
	unsigned long flags;
	const char *data;
	const char *otherwise; /* what to say where the kernel refuses DATA */
	const char *borrowed;  /* what to bind where we may not mount one; NULL: nothing */
	bool optional;         /* a kernel may be built without it */
};

enum { PROC, DEV, PTS };

static const struct kernel_mount kernel_mounts[] = {
	[PROC] = { .type = "proc", .target = "/proc", .flags = SAFE },
	[DEV] = { .type = "tmpfs", .target = "/dev", .flags = MS_NOSUID, .data = "mode=755,size=64k" },
	/* gid 5 is tty everywhere; ptmx in here makes terminals of this container only (Linux 4.7) */
	[PTS] = { .type = "devpts", .target = "/dev/pts", .flags = MS_NOSUID | MS_NOEXEC,
	  .data = "newinstance,ptmxmode=666,mode=620,gid=5",
	  .otherwise = "newinstance,ptmxmode=666,mode=620" },
};

static const struct {
	const char *path;
	unsigned major, minor;
} nodes[] = {
	/* Documentation/admin-guide/devices.txt of the kernel */
	{ "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

static const struct {
	const char *target, *path;
} links[] = {
	{ "/proc/self/fd", "/dev/fd" },       { "/proc/self/fd/0", "/dev/stdin" },
	{ "/proc/self/fd/1", "/dev/stdout" }, { "/proc/self/fd/2", "/dev/stderr" },
	{ "pts/ptmx", "/dev/ptmx" },
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/*
 * Where ROW belongs below ROOT, made if it isn't there. The image's author may have put a link to
 * anywhere in its place: none is followed.
 */
static int open_target(int root, const struct kernel_mount *row)
{
	const char *name = row->target + 1;
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
	};
	if (mkdirat(root, name, 0755) < 0 && errno != EEXIST)
		return fail("make %s", row->target);
	int dir = sys_openat2(root, name, &how);
	if (dir < 0 && (errno == ELOOP || errno == ENOTDIR))
		return failx("mount %s: the image has something there that is no directory",
			     row->target);
	return dir < 0 ? fail("open %s", row->target) : dir;
}

/* The working directory is a target that no path can lead away from. */
static int mount_kernel(int root, const struct kernel_mount *row)
{
	scoped_fd dir = open_target(root, row);
	if (dir < 0)
		return -1;
	if (fchdir(dir) < 0)
		return fail("enter %s", row->target);
	if (mount(row->type, ".", row->type, row->flags, row->data) == 0)
		return 0;
	/* EINVAL: in a user namespace without a group 5 */
	if (errno == EINVAL && row->otherwise &&
	    mount(row->type, ".", row->type, row->flags, row->otherwise) == 0)
		return 0;
	if (errno == EPERM && row->borrowed && mount(row->borrowed, ".", NULL, MS_BIND | MS_REC, NULL) == 0)
		return 0;
	if (errno != ENODEV)
		return fail("mount %s", row->target);
	if (row->optional)
		return 0;
	return failx("mount %s: the kernel has no %s", row->target, row->type);
}

/* In a user namespace nobody makes devices: there the host's own is bound. */
static int make_node(int root, size_t i)
{
	const char *name = nodes[i].path + 1;
	if (mknodat(root, name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) == 0)
		return 0;
	if (errno != EPERM)
		return fail("make %s", nodes[i].path);
	scoped_fd file = openat(root, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
	if (file < 0 || fchdir(root) < 0 || mount(nodes[i].path, name, NULL, MS_BIND, NULL) < 0)
		return fail("bind %s", nodes[i].path);
	return 0;
}

static int make_nodes(int root)
{
	for (size_t i = 0; i < COUNT(nodes); i++)
		if (make_node(root, i) < 0)
			return -1;
	for (size_t i = 0; i < COUNT(links); i++)
		if (symlinkat(links[i].target, root, links[i].path + 1) < 0)
			return fail("make %s", links[i].path);
	return 0;
}

int mounts_kernel(struct mounts *mounts, int root, const char *proc)
{
	for (size_t i = 0; i < COUNT(kernel_mounts); i++) {
		struct kernel_mount row = kernel_mounts[i];
		row.borrowed = i == PROC ? proc : NULL;
		if (mount_kernel(root, &row) < 0)
			return -1;
	}
	mounts->proc = open_target(root, &kernel_mounts[PROC]);
	mounts->dev = open_target(root, &kernel_mounts[DEV]);
	mounts->pts = open_target(root, &kernel_mounts[PTS]);
	if (mounts->proc < 0 || mounts->dev < 0 || mounts->pts < 0 || make_nodes(root) < 0)
		return -1;
	mounts->null = openat(mounts->dev, "null", O_RDONLY | O_CLOEXEC);
	return mounts->null < 0 ? fail("open /dev/null") : 0;
}

int mounts_shm(int root, int64_t size)
{
	char data[64];
	struct kernel_mount shm = { .type = "tmpfs", .target = "/dev/shm", .flags = SAFE, .data = data };
	snprintf(data, sizeof(data), "mode=1777,size=%lld", (long long)(size ? size : 64 << 20));
	return mount_kernel(root, &shm);
}

int mounts_mqueue(int root)
{
	struct kernel_mount mqueue = {
		.type = "mqueue", .target = "/dev/mqueue", .flags = SAFE, .optional = true,
	};
	return mount_kernel(root, &mqueue);
}

int mounts_sys(int root, unsigned long flags)
{
	struct kernel_mount sys = { .type = "sysfs", .target = "/sys", .flags = SAFE | flags };
	return mount_kernel(root, &sys);
}

int mounts_host_sys(const struct mounts *mounts, int root)
{
	const struct kernel_mount sys = { .target = "/sys" };
	scoped_fd dir = open_target(root, &sys);
	scoped_fd tree = dir < 0 ? -1
				 : sys_open_tree(AT_FDCWD, "/sys", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (dir < 0)
		return -1;
	if (tree < 0)
		return fail("bind /sys");
	return attach(mounts, tree, dir, SAFE | MS_RDONLY) < 0 ? fail("mount /sys") : 0;
}

#include "launcher/mount/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

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

/* The list is moby's, oci/defaults.go: what tells of the host, or wakes its drivers. */
static const char *const masked[] = {
	"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/scsi", "/proc/sched_debug", "/proc/timer_list",
	"/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
};

/* /proc/sysrq-trigger reboots the machine, /proc/sys sets it up. */
static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
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

int mounts_kernel(int root, const char *proc)
{
	for (size_t i = 0; i < COUNT(kernel_mounts); i++) {
		struct kernel_mount row = kernel_mounts[i];
		row.borrowed = i == PROC ? proc : NULL;
		if (mount_kernel(root, &row) < 0)
			return -1;
	}
	return make_nodes(root);
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

static int mask(const char *path)
{
	if (mount("/dev/null", path, NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
		return 0;
	/* ENOTDIR: PATH is a directory */
	if (errno == ENOTDIR && mount("tmpfs", path, "tmpfs", SAFE | MS_RDONLY, "size=0") == 0)
		return 0;
	return fail("hide %s", path);
}

static int make_read_only(const char *path)
{
	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
		return errno == ENOENT ? 0 : fail("bind %s", path);
	if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | SAFE, NULL) < 0)
		return fail("make %s read-only", path);
	return 0;
}

int mounts_mask(void)
{
	for (size_t i = 0; i < COUNT(masked); i++)
		if (mask(masked[i]) < 0)
			return -1;
	for (size_t i = 0; i < COUNT(read_only); i++)
		if (make_read_only(read_only[i]) < 0)
			return -1;
	return 0;
}

/* Returns 0; 1 where the kernel can't (mount_setattr(2), Linux 5.12); -1 with a failure. */
static int seal_tree(int tree, const char *source)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) == 0)
		return 0;
	return errno == ENOSYS ? 1 : fail("make %s read-only", source);
}

int mounts_take(struct source_mount *taken, const char *source, const char *target, unsigned long flags)
{
	struct stat stat;
	unsigned how = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	scoped_fd tree = sys_open_tree(AT_FDCWD, source, how | (flags & MS_REC ? AT_RECURSIVE : 0));
	if (tree < 0 && errno == EINVAL && !(flags & MS_REC)) {
		fail("bind %s alone", source);
		return hint("in a user namespace what is mounted below it cannot be left out");
	}
	if (tree < 0 || fstat(tree, &stat) < 0)
		return fail("bind %s", source);
	bool remount = false;
	if (flags & MS_RDONLY) {
		int r = seal_tree(tree, source);
		if (r < 0)
			return -1;
		remount = r > 0;
	}
	if (remount) {
		/* Only the topmost mount can be sealed later: leave those below it out. */
		close(take_fd(&tree));
		tree = sys_open_tree(AT_FDCWD, source, how);
		if (tree < 0)
			return fail("bind %s", source);
	}
	*taken = (struct source_mount){
		.tree = take_fd(&tree),
		.target = target,
		.directory = S_ISDIR(stat.st_mode),
		.read_only = remount,
	};
	return 0;
}

/* A remount sets all flags anew. ST_NOSUID and its kin have the values of MS_NOSUID's (statvfs(3)). */
static int seal_here(const char *target)
{
	struct statvfs stat;
	if (statvfs(target, &stat) < 0)
		return fail("look at %s", target);
	if (mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | (stat.f_flag & SAFE), NULL) < 0)
		return fail("make %s read-only", target);
	return 0;
}

int mounts_put(const struct source_mount *taken)
{
	if (mounts_target(taken->target, taken->directory) < 0)
		return -1;
	if (sys_move_mount(taken->tree, "", AT_FDCWD, taken->target,
			   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0)
		return fail("mount %s", taken->target);
	if (taken->propagation && mount(NULL, taken->target, NULL, taken->propagation, NULL) < 0)
		return fail("set the propagation of %s", taken->target);
	return taken->read_only ? seal_here(taken->target) : 0;
}

int mounts_make(const struct mount *mount_)
{
	if (mounts_target(mount_->target, true) < 0)
		return -1;
	if (mount_->kind == MOUNT_VOLUME) {
		/* A mount of its own keeps its own flags when the root becomes read-only. */
		if (mount(mount_->target, mount_->target, NULL, MS_BIND, NULL) < 0)
			return fail("mount the volume %s", mount_->target);
		return 0;
	}
	if (mount("tmpfs", mount_->target, "tmpfs", mount_->flags, mount_->data) < 0)
		return fail("--tmpfs %s%s%s", mount_->target, *mount_->data ? ":" : "",
			    mount_->data);
	return 0;
}

#include "launcher/mount/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "rootfs/base/sys.h"
#include "rootfs/base/err.h"
#include "rootfs/base/paths.h"
#include "rootfs/base/proc.h"
#include "rootfs/base/userns.h"
#include "rootfs/base/scoped.h"

/* Where a file system says what it is: fs/squashfs/squashfs_fs.h, fs/erofs/erofs_fs.h; little-endian. */
static const struct {
	const char *type;
	off_t at;
	unsigned char magic[4];
} known[] = {
	{ "squashfs", 0, { 'h', 's', 'q', 's' } },
	{ "erofs", 1024, { 0xe2, 0xe1, 0xf5, 0xe0 } },
};

const char *filesystem_type(const char *path)
{
	struct stat stat;
	unsigned char magic[4];
	scoped_fd file = openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (file < 0 || fstat(file, &stat) < 0 || !S_ISREG(stat.st_mode))
		return NULL;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (pread(file, magic, sizeof(magic), known[i].at) == sizeof(magic) &&
		    !memcmp(magic, known[i].magic, sizeof(magic)))
			return known[i].type;
	return NULL;
}

/* A board's /dev may be static, or not there: a node of our own, gone as soon as it is open. */
static int open_node(const char *path, mode_t type, dev_t device)
{
	int node = openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	if (node >= 0 || errno != ENOENT)
		return node;
	char own[64];
	snprintf(own, sizeof(own), "/wherry-%d", getpid());
	if (mknod(own, type | 0600, device) < 0)
		return -1;
	node = openat(AT_FDCWD, own, O_RDWR | O_CLOEXEC);
	unlink(own);
	return node;
}

static int open_free_loop(int control)
{
	char path[32];
	int number = ioctl(control, LOOP_CTL_GET_FREE);
	if (number < 0)
		return -1;
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	return open_node(path, S_IFBLK, makedev(LOOP_MAJOR, number));
}

/* Returns the device, open; it is given back when the mount, or the descriptor, ends. */
static int attach_loop(const char *path)
{
	/* LOOP_CONFIGURE, Linux 5.8. The file may be another's next year: never written. */
	struct loop_config config = { .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };
	scoped_fd file = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	scoped_fd control = open_node("/dev/loop-control", S_IFCHR, makedev(10, 237));
	if (file < 0)
		return path_fail("open", path);
	if (control < 0) {
		fail("find a loop device for %s", path);
		return hint("the kernel needs CONFIG_BLK_DEV_LOOP");
	}
	config.fd = (uint32_t)file;
	for (int tries = 0; tries < 64; tries++) {
		scoped_fd loop = open_free_loop(control);
		if (loop >= 0 && ioctl(loop, LOOP_CONFIGURE, &config) == 0)
			return take_fd(&loop);
		if (loop >= 0 && errno != EBUSY) /* EBUSY: another took it first */
			break;
	}
	return fail("attach %s to a loop device", path);
}

/*
 * SOURCE is a path, and so is PREFIX with a descriptor behind it, of each of the DEVICES that an EROFS has, in their
 * order. Returns the mount, or -1 with errno.
 */
static int mount_with(const char *source, const char *type, const char *prefix, const int *devices, size_t count)
{
	char device[32];
	scoped_fd context = sys_fsopen(type);
	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		snprintf(device, sizeof(device), "%s%d", prefix, devices[i]);
		if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "device", device, 0) < 0)
			return -1;
	}
	if (syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 || sys_fsconfig_create(context) < 0)
		return -1;
	return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
}

static int mount_source(const char *source, const char *type)
{
	return mount_with(source, type, "", NULL, 0);
}

static int mount_named(const char *prefix, int file, const char *type, const int *devices, size_t count)
{
	char source[32];
	snprintf(source, sizeof(source), "%s%d", prefix, file);
	return mount_with(source, type, prefix, devices, count);
}

/*
 * As mount_with, of an open file or device. The kernel takes its paths from the working directory: without /proc that
 * is our own procfs for as long as it takes.
 */
static int mount_open(int file, const char *type, const int *devices, size_t count)
{
	if (proc_is_there())
		return mount_named("/proc/self/fd/", file, type, devices, count);
	scoped_fd proc = proc_open();
	scoped_fd back = proc < 0 ? -1 : openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (back < 0 || fchdir(proc) < 0)
		return -1;
	int tree = mount_named("self/fd/", file, type, devices, count), error = errno;
	if (fchdir(back) < 0) {
		if (tree >= 0)
			close(tree);
		return fail("return to the working directory");
	}
	errno = error;
	return tree;
}

static int explain(const char *path, const char *type)
{
	if (errno == ENODEV)
		return failx("%s: the kernel has no %s", path, type);
	if (errno != EPERM)
		return fail("mount %s as %s", path, type);
	fail("mount %s as %s", path, type);
	return hint("file systems in files are root's to mount");
}

int filesystem_mount(const char *path, const char *type)
{
	/* Whatever the kernel would say: its own parser, made for trusted disks, would read a stranger's bytes. */
	if (userns_inside()) {
		failx("%s: a file system in a file is root's to mount", path);
		return hint("the kernel itself reads it; an image that is loaded takes no rights");
	}
	int tree = mount_source(path, type);
	if (tree >= 0)
		return tree;
	if (errno != ENOTBLK) /* the answer to a regular file where a device is wanted */
		return explain(path, type);
	scoped_fd loop = attach_loop(path);
	if (loop < 0)
		return -1;
	tree = mount_open(loop, type, NULL, 0);
	return tree < 0 ? explain(path, type) : tree;
}

static bool is_on_tmpfs(int file)
{
	struct statfs where;
	return fstatfs(file, &where) == 0 && where.f_type == TMPFS_MAGIC;
}

/* A copy of FILE on a ramfs that is nowhere, gone with the last who has it open. Returns -1 with errno. */
static int copy_to_ramfs(int file)
{
	off_t at = 0;
	struct stat stat;
	scoped_fd context = (int)syscall(SYS_fsopen, "ramfs", FSOPEN_CLOEXEC);
	if (context < 0 || fstat(file, &stat) < 0 ||
	    syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	scoped_fd mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	scoped_fd copy = mount < 0 ? -1 : openat(mount, "index", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (copy >= 0 && at < stat.st_size)
		if (sendfile(copy, file, &at, (size_t)(stat.st_size - at)) <= 0)
			return -1;
	return take_fd(&copy);
}

/*
 * EROFS reads its metadata by the file's own pages (read_folio), and tmpfs has none to give: there, as in
 * an initramfs, a copy in memory takes the file's place. Returns the mount, or -1 with errno.
 */
static int mount_index(int file, const int *devices, size_t count)
{
	int tree = mount_open(file, "erofs", devices, count);
	if (tree >= 0 || errno != ENOTBLK || !is_on_tmpfs(file))
		return tree;
	scoped_fd copy = copy_to_ramfs(file);
	return copy < 0 ? -1 : mount_open(copy, "erofs", devices, count);
}

static int explain_index(void)
{
	if (errno == ENODEV)
		failx("--no-unpack: the kernel has no EROFS");
	else if (errno == ENOTBLK)
		failx("--no-unpack: the kernel mounts no EROFS from a file: Linux 6.12 or newer does, with "
		      "CONFIG_EROFS_FS_BACKED_BY_FILE");
	else
		fail("--no-unpack: mount the index");
	return hint("run it without --no-unpack");
}

/* Whether a file can be one is looked at before what is in it: any will do. */
int filesystem_probe(const char *path)
{
	scoped_fd file = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return path_fail("open", path);
	scoped_fd tree = mount_index(file, NULL, 0);
	return tree < 0 && (errno == ENODEV || errno == ENOTBLK || errno == EPERM) ? explain_index() : 0;
}

int filesystem_mount_index(int index, const int *devices, size_t count)
{
	int tree = mount_index(index, devices, count);
	return tree < 0 ? explain_index() : tree;
}

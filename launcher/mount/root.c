#include "launcher/mount/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "launcher/rights/ids.h"
#include "rootfs/base/sys.h"
#include "rootfs/layer/attributes.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/*
 * What mount(2) takes as options is one page, on the smallest pages that Linux has: 60 layers named
 * by their SHA-256. More go by short links.
 */
enum { OPTIONS_MAX = 4096 };

/* Those that hold no upper directory: it has to keep attributes, device nodes and each entry's type (overlayfs(5)). */
static const char *unfit_upper(const char *dir)
{
	static const struct {
		unsigned magic;
		const char *name;
	} unfit[] = {
		{ OVERLAYFS_SUPER_MAGIC, "overlayfs" }, { NFS_SUPER_MAGIC, "NFS" }, { MSDOS_SUPER_MAGIC, "vfat" },
		{ 0x2011bab0, "exFAT" }, { V9FS_MAGIC, "9p" }, { CIFS_SUPER_MAGIC, "CIFS" }, { SMB2_SUPER_MAGIC, "CIFS" },
	};
	struct statfs system;
	for (size_t i = 0; statfs(dir, &system) == 0 && i < sizeof(unfit) / sizeof(*unfit); i++)
		if ((unsigned)system.f_type == unfit[i].magic)
			return unfit[i].name;
	return NULL;
}

static int explain_upper(const struct root *root, const char *system)
{
	if (root->overlay == OVERLAY_DISK)
		failx("--overlay disk: the store is on %s, which can hold no writable layer", system);
	else
		failx("--overlay %s: it is on %s, which can hold no writable layer", root->overlay_dir, system);
	return hint("--overlay ram, or a directory on another file system");
}

static int explain_overlay(const struct root *root)
{
	int error = errno;
	const char *staging = root->staging;
	bool refused = error != ENODEV && error != EPERM && root->overlay != OVERLAY_RAM;
	const char *system = refused ? unfit_upper(root->overlay_dir) : NULL;
	if (system)
		return explain_upper(root, system);
	errno = error;
	switch (errno) {
	case EPERM:
		fail("mount overlay on %s/root", staging);
		return root->unprivileged ? hint("without root it wants Linux 5.11 or newer") : -1;
	case ENODEV:
		return failx("overlayfs: the kernel has no CONFIG_OVERLAY_FS");
	case EINVAL:
		fail("mount overlay on %s/root", staging);
		if (root->ids.users.count)
			hint("overlayfs takes layers with mapped owners since Linux 5.19; the kernel's "
			     "log may say more: dmesg | tail");
		return hint("the kernel's log says which layer it refused: dmesg | tail");
	default:
		return fail("mount overlay on %s/root", staging);
	}
}

/* A comma ends an option and a colon ends a lower, unless a backslash stands before it. */
static size_t append_escaped(char *to, size_t size, const char *path)
{
	size_t n = 0;
	for (; *path && n + 2 < size; path++) {
		if (strchr("\\,:", *path))
			to[n++] = '\\';
		to[n++] = *path;
	}
	to[n] = '\0';
	return n;
}

/* lowerdir=A:B:C…, or 0 where that is too long. Their names are hex, or "." */
static size_t append_lowers(char *to, size_t size, const struct root *root)
{
	size_t n = (size_t)snprintf(to, size, "lowerdir=");
	for (size_t i = 0; i < root->lower_count; i++) {
		int m = snprintf(to + n, size - n, "%s%s", i ? ":" : "", root->lowers[i]);
		if ((size_t)m >= size - n)
			return 0;
		n += (size_t)m;
	}
	return n;
}

/* Links 0, 1, 2 … in the working directory, one for each lower: 500 of them fit in a page. */
static size_t append_links(char *to, size_t size, const struct root *root)
{
	size_t n = (size_t)snprintf(to, size, "lowerdir=");
	for (size_t i = 0; i < root->lower_count; i++) {
		char target[PATH_MAX], name[24];
		snprintf(target, sizeof(target), "%s/%s", root->base, root->lowers[i]);
		snprintf(name, sizeof(name), "%zu", i);
		if (symlink(target, name) < 0)
			return 0;
		int m = snprintf(to + n, size - n, "%s%s", i ? ":" : "", name);
		if ((size_t)m >= size - n) {
			errno = E2BIG;
			return 0;
		}
		n += (size_t)m;
	}
	return n;
}

/* The working directory becomes what the names in OPTIONS are relative to. */
static int write_lowers(const struct root *root, const char *staging, char *options, size_t size)
{
	if (chdir(root->base) < 0)
		return fail("enter %s", root->base);
	if (append_lowers(options, size, root))
		return 0;
	char links[PATH_MAX];
	snprintf(links, sizeof(links), "%s/lowers", staging);
	if (mkdir(links, 0700) < 0 || chdir(links) < 0 || !append_links(options, size, root))
		return fail("name the image's %zu layers", root->lower_count);
	return 0;
}

/* As root's in the container. */
static int own(const struct root *root, const char *path)
{
	if (!root->ids.users.count)
		return 0;
	if (chown(path, root->ids.users.start, root->ids.groups.start) < 0)
		return fail("give %s to the container's root", path);
	return 0;
}

/* What an earlier run wrote is nobody's in a container with other ids. */
static int check_upper(const struct root *root, const char *path)
{
	struct stat stat;
	if (!root->ids.users.count)
		return 0;
	if (lstat(path, &stat) < 0)
		return fail("look at %s", path);
	if (idmap_has(&root->ids.users, stat.st_uid))
		return 0;
	failx("%s belongs to user %u, who is not one of the container's", path, stat.st_uid);
	return hint("it was written without --userns, or with other ids");
}

/* As the layer UPPER's root is described by; PATH is that root's, for messages. */
static int describe_upper(const struct root *root, int upper, const char *path)
{
	char lower[PATH_MAX];
	struct stat stat;
	snprintf(lower, sizeof(lower), "%s/%s", root->base, root->top);
	scoped_fd top = openat(AT_FDCWD, lower, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0 || fstat(top, &stat) < 0)
		return fail("look at %s", lower);
	const struct timespec times[2] = { stat.st_atim, stat.st_mtim };
	if (fchown(upper, stat.st_uid, stat.st_gid) < 0 || fchmod(upper, stat.st_mode & 07777) < 0)
		return fail("copy the metadata of / to %s", path);
	/* ENOTSUP: tmpfs has none before Linux 6.6; overlayfs drops other files' there, too */
	if (attributes_copy(top, upper) < 0 && errno != ENOTSUP)
		return fail("copy the attributes of / to %s", path);
	return futimens(upper, times) < 0 ? fail("copy the times of / to %s", path) : 0;
}

/* As rootfs/layer/tree.h has a directory that no layer describes. */
static int describe_plainly(const struct root *root, int upper, const char *path)
{
	static const struct timespec times[2];
	if (own(root, path) < 0)
		return -1;
	return futimens(upper, times) < 0 ? fail("set the times of %s", path) : 0;
}

/*
 * overlayfs shows the upper's own root directory: a new one takes owner, mode, times and attributes
 * from the layer that describes /; one that is there already belongs to an earlier run of the
 * container.
 */
static int make_upper(const struct root *root, const char *dir)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/work", dir);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return fail("make %s", path);
	snprintf(path, sizeof(path), "%s/upper", dir);
	if (mkdir(path, 0755) < 0)
		return errno == EEXIST ? check_upper(root, path) : fail("make %s", path);
	scoped_fd upper = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (upper < 0)
		return fail("open %s", path);
	return root->top ? describe_upper(root, upper, path) : describe_plainly(root, upper, path);
}

/* An image without layers is an empty file system; overlayfs wants one lower at least. */
static int mount_empty(const struct root *root)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/root", root->staging);
	if (mount("tmpfs", path, "tmpfs", 0, "mode=755") < 0)
		return fail("mount %s", path);
	return own(root, path);
}

static int mount_overlay(const struct root *root, const char *dir)
{
	char lowers[OPTIONS_MAX], options[OPTIONS_MAX], escaped[PATH_MAX], path[PATH_MAX];
	append_escaped(escaped, sizeof(escaped), dir);
	int n = snprintf(options, sizeof(options), "upperdir=%s/upper,workdir=%s/work%s%s,", escaped,
			 escaped, root->overlay == OVERLAY_DISK ? ",volatile" : "",
			 root->unprivileged ? ",userxattr" : "");
	if (n < 0 || (size_t)n >= sizeof(options))
		return failx("the path of the writable layer is too long: %s", dir);
	if (write_lowers(root, root->staging, lowers, sizeof(lowers) - (size_t)n) < 0)
		return -1;
	memcpy(options + n, lowers, strlen(lowers) + 1);
	snprintf(path, sizeof(path), "%s/root", root->staging);
	if (mount("overlay", path, "overlay", 0, options) < 0)
		return explain_overlay(root);
	return 0;
}

static int mount_staging(const struct root *root)
{
	char options[64], path[PATH_MAX];
	int n = snprintf(options, sizeof(options), "mode=700");
	if (root->overlay == OVERLAY_RAM && root->overlay_size)
		snprintf(options + n, sizeof(options) - n, ",size=%lld",
			 (long long)root->overlay_size);
	/* with --userns the container's device nodes are made here, too */
	unsigned long flags = MS_NOSUID | (root->ids.users.count ? 0 : MS_NODEV);
	if (mount("wherry", root->staging, "tmpfs", flags, options) < 0)
		return fail("mount a tmpfs on %s", root->staging);
	if (own(root, root->staging) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/root", root->staging);
	return mkdir(path, 0755) < 0 ? fail("make %s", path) : 0;
}

/* Returns 1, 0 or -1 with a failure. */
static int is_top(void)
{
	struct stat here, above;
	if (stat(".", &here) < 0 || stat("..", &above) < 0)
		return fail("leave the caller's root");
	return here.st_ino == above.st_ino && here.st_dev == above.st_dev;
}

/*
 * wherry may have been started in a chroot, whose root is not that of the mount namespace. What can
 * be done from inside a container has to be done here first: with the root moved to BELOW, the working
 * directory is outside it, and ".." climbs until there is nothing above. Ends at the namespace's root.
 */
static int climb(const char *below)
{
	int top;
	if (chdir("/") < 0 || chroot(below) < 0)
		return fail("leave the caller's root");
	while ((top = is_top()) == 0)
		if (chdir("..") < 0)
			return fail("leave the caller's root");
	return top < 0 || chroot(".") < 0 ? fail("leave the caller's root") : 0;
}

int root_part(const struct root *root)
{
	scoped_fd caller = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (caller < 0 || climb(root->staging) < 0)
		return fail("open /");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail("part the mounts from the host's");
	if (fchdir(caller) < 0 || chroot(".") < 0)
		return fail("return to the caller's root");
	return 0;
}

static int mount_mapped(const struct root *root, int userns, const char *dir)
{
	struct root mapped = *root;
	char layers[PATH_MAX];
	snprintf(layers, sizeof(layers), "%s/layers", root->staging);
	if (root_map(root, userns, layers) < 0)
		return -1;
	mapped.base = layers;
	return make_upper(&mapped, dir) < 0 ? -1 : mount_overlay(&mapped, dir);
}

/* A file system in a file is a mount already, and has yet to be put where the overlay finds it. */
static int mount_tree(const struct root *root, int userns, const char *dir)
{
	char path[PATH_MAX];
	struct root placed = *root;
	snprintf(path, sizeof(path), "%s/image", root->staging);
	placed.base = path;
	if (mkdir(path, 0700) < 0 ||
	    sys_move_mount(root->tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fail("mount the image on %s", path);
	if (userns >= 0)
		return mount_mapped(&placed, userns, dir);
	return make_upper(&placed, dir) < 0 ? -1 : mount_overlay(&placed, dir);
}

int root_mount(const struct root *root, int userns)
{
	const char *dir = root->overlay == OVERLAY_RAM ? root->staging : root->overlay_dir;
	if (root_part(root) < 0 || mount_staging(root) < 0)
		return -1;
	if (root->has_tree)
		return mount_tree(root, userns, dir);
	if (!root->lower_count)
		return mount_empty(root);
	if (userns >= 0)
		return mount_mapped(root, userns, dir);
	return make_upper(root, dir) < 0 ? -1 : mount_overlay(root, dir);
}

int root_open(const struct root *root)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/root", root->staging);
	int dir = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? fail("open %s", path) : dir;
}

/*
 * pivot_root(2) refuses to leave an initramfs: there the new root is moved over it instead. Both end
 * with the container's root as the root of the whole namespace, so that no chroot escape climbs out.
 */
int root_enter(const struct root *root)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/root", root->staging);
	scoped_fd dir = root_open(root);
	if (dir < 0 || climb(path) < 0)
		return -1;
	if (fchdir(dir) < 0)
		return fail("enter %s", path);
	if (sys_pivot_root(".", ".") == 0) {
		if (umount2(".", MNT_DETACH) < 0)
			return fail("leave the host's root");
	} else if (errno != EINVAL || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0) {
		return fail("make %s the root", path);
	}
	return chdir("/") < 0 ? fail("enter /") : 0;
}

int root_seal(const struct root *root, unsigned long flags)
{
	if (root->read_only)
		flags |= MS_RDONLY;
	if (flags && mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | flags, NULL) < 0)
		return fail("%sremount /", root->read_only ? "--read-only: " : "");
	return 0;
}

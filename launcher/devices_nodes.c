#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/devices.h"
#include "launcher/idmap.h"
#include "launcher/sys.h"
#include "rootfs/err.h"
#include "rootfs/scoped.h"

/*
 * The directory PATH below ROOT, made where it isn't there. The image's author may have put links in
 * its way: they lead nowhere but into the root (openat2(2), Linux 5.6). Returns -1 with errno.
 */
static int open_directory(int root, const char *path)
{
	char prefix[PATH_MAX];
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT,
	};
	scoped_fd dir = fcntl(root, F_DUPFD_CLOEXEC, 0);
	while (*path == '/')
		path++;
	for (const char *end = path; dir >= 0 && *end;) {
		end += strcspn(end, "/");
		snprintf(prefix, sizeof(prefix), "%.*s", (int)(end - path), path);
		const char *slash = strrchr(prefix, '/');
		int next = sys_openat2(root, prefix, &how);
		if (next < 0 && errno == ENOENT &&
		    mkdirat(dir, slash ? slash + 1 : prefix, 0755) == 0)
			next = sys_openat2(root, prefix, &how);
		close(dir);
		dir = next;
		end += strspn(end, "/");
	}
	return take_fd(&dir);
}

/* In a user namespace nobody makes devices: there one is bound that is made already. */
static int bind_node(int dir, const char *name, const char *source)
{
	scoped_fd file = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (file < 0 || fchdir(dir) < 0)
		return -1;
	return mount(source, name, NULL, MS_BIND, NULL);
}

/* One that is there already, of the same number, is one of those that every container has. */
static bool is_there(int dir, const char *name, const struct device *device)
{
	struct stat stat_;
	return errno == EEXIST && fstatat(dir, name, &stat_, AT_SYMLINK_NOFOLLOW) == 0 &&
	       stat_.st_rdev == device->number;
}

static int make_one(int root, const struct device *device, const char *source)
{
	char parent[PATH_MAX];
	const char *name = strrchr(device->target, '/') + 1;
	if (strlen(device->target) >= sizeof(parent))
		return failx("--device: the path is too long: %s", device->target);
	snprintf(parent, sizeof(parent), "%.*s", (int)(name - device->target), device->target);
	scoped_fd dir = open_directory(root, parent);
	if (dir < 0)
		return fail("make %s", parent);
	if (mknodat(dir, name, device->mode, device->number) < 0) {
		if (errno == EPERM && bind_node(dir, name, source) == 0)
			return 0;
		return is_there(dir, name, device) ? 0 : fail("make the device %s", device->target);
	}
	if (fchownat(dir, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail("give %s its owner", device->target);
	return 0;
}

int devices_make(int root, const struct devices *devices, const char *staged)
{
	for (size_t i = 0; i < devices->node_count; i++) {
		const struct device *device = &devices->nodes[i];
		char path[PATH_MAX] = "";
		if (staged)
			snprintf(path, sizeof(path), "%s/%zu", staged, i);
		if (make_one(root, device, *path && access(path, F_OK) == 0 ? path : device->source) < 0)
			return -1;
	}
	return 0;
}

static int stage_one(int dir, const char *name, const struct device *device, const struct ids *ids)
{
	if (mknodat(dir, name, device->mode, device->number) < 0)
		/* EPERM: root without CAP_MKNOD */
		return errno == EPERM ? 0 : fail("make the device %s", device->target);
	if (fchownat(dir, name, idmap_outside(&ids->users, device->uid),
		     idmap_outside(&ids->groups, device->gid), AT_SYMLINK_NOFOLLOW) < 0)
		return fail("give %s its owner", device->target);
	return 0;
}

int devices_stage(const char *staged, const struct devices *devices, const struct ids *ids)
{
	char name[24];
	if (!devices->node_count)
		return 0;
	scoped_fd dir = mkdir(staged, 0711) < 0 ? -1 : open(staged, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail("make %s", staged);
	for (size_t i = 0; i < devices->node_count; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		if (stage_one(dir, name, &devices->nodes[i], ids) < 0)
			return -1;
	}
	return 0;
}

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/spec/devices.h"
#include "launcher/rights/ids.h"
#include "launcher/mount/target.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* In a user namespace nobody makes devices: there one is bound that is made already. */
static int bind_node(int dir, const char *name, const char *source)
{
	scoped_fd file = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (file < 0 || fchdir(dir) < 0)
		return -1;
	return mount(source, name, NULL, MS_BIND, NULL);
}

/* One of the same number is one of those that every container has. */
static int expect(int there, const struct device *device)
{
	struct stat stat_;
	if (fstat(there, &stat_) == 0 && stat_.st_rdev == device->number)
		return 0;
	errno = EEXIST;
	return fail("make the device %s", device->target);
}

static int make_one(int root, const struct device *device, const char *source)
{
	char name[NAME_MAX + 1];
	scoped_fd dir = target_find(root, device->target, name);
	if (dir >= 0 && !*name)
		return expect(dir, device);
	if (dir < 0)
		return fail("make the device %s", device->target);
	if (mknodat(dir, name, device->mode, device->number) < 0) {
		if (errno == EPERM && bind_node(dir, name, source) == 0)
			return 0;
		return fail("make the device %s", device->target);
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
	scoped_fd dir = mkdir(staged, 0711) < 0 ? -1 : openat(AT_FDCWD, staged, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail("make %s", staged);
	for (size_t i = 0; i < devices->node_count; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		if (stage_one(dir, name, &devices->nodes[i], ids) < 0)
			return -1;
	}
	return 0;
}

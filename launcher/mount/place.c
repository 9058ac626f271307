#include "launcher/mount/place.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "launcher/mount/target.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* What lxcfs and its like show a container of itself, in place of the machine: runc's rootfs_linux.go. */
static const char *const emulated[] = {
	"/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
	"/proc/loadavg", "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
};

static bool is_below(const char *path, const char *top)
{
	size_t length = strlen(top);
	return !strncmp(path, top, length) && (!path[length] || path[length] == '/');
}

static bool is_emulated(const char *target)
{
	for (size_t i = 0; i < sizeof(emulated) / sizeof(*emulated); i++)
		if (!strcmp(target, emulated[i]))
			return true;
	return false;
}

/* The root of a procfs: inode 1, PROC_ROOT_INO of the kernel's linux/proc_ns.h. */
static bool is_procfs(int source)
{
	struct statfs system;
	struct stat stat;
	return source >= 0 && fstatfs(source, &system) == 0 && system.f_type == PROC_SUPER_MAGIC &&
	       fstat(source, &stat) == 0 && stat.st_ino == 1;
}

/* A tmpfs: whether it is our own /dev, where links of the image's can't be, but where they can lead. */
static bool is_dev(const struct mounts *mounts, const struct stat *place)
{
	struct stat dev;
	return fstat(mounts->dev, &dev) == 0 && dev.st_dev == place->st_dev;
}

static bool is_root(const struct stat *place)
{
	struct stat root;
	return S_ISDIR(place->st_mode) && stat("/", &root) == 0 && root.st_dev == place->st_dev &&
	       root.st_ino == place->st_ino;
}

/* NULL: it may be mounted on; or the name of what it lies on. */
static const char *refuse(const struct mounts *mounts, int place, const struct stat *stat, const char *target, int source)
{
	struct statfs system;
	if (fstatfs(place, &system) < 0)
		return "what can't be looked at";
	switch ((unsigned)system.f_type) {
	case PROC_SUPER_MAGIC:
		return is_emulated(target) || (!strcmp(target, "/proc") && is_procfs(source)) ? NULL : "procfs";
	case SYSFS_MAGIC:
		return is_below(target, "/sys") ? NULL : "sysfs";
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
		return is_below(target, "/sys") ? NULL : "a cgroup file system";
	case DEVPTS_SUPER_MAGIC:
		return is_below(target, "/dev") ? NULL : "devpts";
	case TMPFS_MAGIC:
		if (is_dev(mounts, stat) && !is_below(target, "/dev"))
			return "/dev";
	}
	return is_root(stat) ? "the container's root" : NULL;
}

int place_open(const struct mounts *mounts, const char *target, bool directory, int source)
{
	bool kernels = is_below(target, "/proc") || is_below(target, "/sys") || is_below(target, "/dev");
	/* /proc/net is a link, the kernel's own */
	bool straight = kernels && !is_emulated(target);
	struct stat stat;
	scoped_fd place = target_open(target, directory, straight ? RESOLVE_NO_SYMLINKS : 0, &stat);
	if (place < 0)
		return -1;
	const char *on = refuse(mounts, place, &stat, target, source);
	if (!on)
		return take_fd(&place);
	failx("mount %s: its place is on %s, where nothing may be mounted", target, on);
	return kernels ? -1 : hint("the image, or who shares a volume, has a link there");
}

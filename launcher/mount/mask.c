#include "launcher/mount/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/sys.h"

#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* The lists are moby's, oci/defaults.go: what tells of the host, or wakes its drivers. */
static const char *const of_proc[] = {
	"acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "scsi", "sched_debug", "timer_list",
	"timer_stats", NULL,
};
static const char *const of_sys[] = { "devices/virtual/powercap", "firmware", NULL };

/* /proc/sysrq-trigger reboots the machine, /proc/sys sets it up. */
static const char *const read_only[] = { "bus", "fs", "irq", "sys", "sysrq-trigger", NULL };

/* NAME in the working directory. NOTHING: a path that leads to /dev/null. */
static int hide(const char *top, const char *name, const char *nothing)
{
	if (mount(nothing, name, NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
		return 0;
	/* ENOTDIR: NAME is a directory */
	if (errno == ENOTDIR && mount("tmpfs", name, "tmpfs", SAFE | MS_RDONLY, "size=0") == 0)
		return 0;
	return fail("hide %s/%s", top, name);
}

/*
 * What is mounted below a procfs of the machine's, such as binfmt_misc, would stay writable: it is left out of the
 * copy. What is below our own has been asked for, and stays. EINVAL: a user namespace may not look below a mount.
 */
static int make_read_only(const char *name, unsigned long deep)
{
	if (mount(name, name, NULL, MS_BIND | deep, NULL) < 0 &&
	    (errno != EINVAL || mount(name, name, NULL, MS_BIND | MS_REC, NULL) < 0))
		return errno == ENOENT ? 0 : fail("bind /proc/%s", name);
	if (mount(NULL, name, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | SAFE, NULL) < 0)
		return fail("make /proc/%s read-only", name);
	return 0;
}

/* The working directory is what is seen at TOP, and no link. */
static int enter(const char *top)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	scoped_fd dir = sys_openat2(AT_FDCWD, top, &how);
	return dir < 0 || fchdir(dir) < 0 ? fail("enter %s", top) : 0;
}

static int mask_proc(const struct mounts *mounts, const char *nothing)
{
	struct statfs system;
	struct stat own, seen;
	if (enter("/proc") < 0)
		return -1;
	if (statfs(".", &system) < 0 || stat(".", &seen) < 0 || fstat(mounts->proc, &own) < 0)
		return fail("look at /proc");
	if (system.f_type != PROC_SUPER_MAGIC)
		return failx("/proc is no procfs");
	for (size_t i = 0; of_proc[i]; i++)
		if (hide("/proc", of_proc[i], nothing) < 0)
			return -1;
	for (size_t i = 0; read_only[i]; i++)
		if (make_read_only(read_only[i], seen.st_dev == own.st_dev ? MS_REC : 0) < 0)
			return -1;
	return 0;
}

int mask(const struct mounts *mounts)
{
	char nothing[32];
	snprintf(nothing, sizeof(nothing), "/proc/self/fd/%d", mounts->null);
	if (mask_proc(mounts, nothing) < 0 || enter("/sys") < 0)
		return -1;
	for (size_t i = 0; of_sys[i]; i++)
		if (hide("/sys", of_sys[i], nothing) < 0)
			return -1;
	return 0;
}

#include "rootfs/base/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/sys.h"

bool proc_is_there(void)
{
	return access("/proc/self/fd", F_OK) == 0;
}

int proc_open(void)
{
	scoped_fd context = sys_fsopen("proc");
	int mount = context < 0 || sys_fsconfig_create(context) < 0 ? -1 : sys_fsmount(context);
	if (mount >= 0)
		return mount;
	fail("look at descriptors without /proc");
	return hint("mount it: mount -t proc proc /proc");
}

int proc_path(int file, char *path, size_t size)
{
	char link[32];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
	ssize_t length = readlink(link, path, size - 1);
	if (length < 0 && !proc_is_there()) {
		scoped_fd proc = proc_open();
		length = proc < 0 ? -1 : readlinkat(proc, link + sizeof("/proc"), path, size - 1);
	}
	if (length >= 0)
		path[length] = '\0';
	return length < 0 ? -1 : 0;
}

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "launcher/cgroup/cgroup.h"
#include "rootfs/base/err.h"

#define SHOWN "/sys/fs/cgroup"
#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* Under the first of its controllers' names: cpu,cpuacct is shown as cpu. */
static int show_one(const struct hierarchy *hierarchy, unsigned long flags)
{
	char target[sizeof(SHOWN) + sizeof(hierarchy->controllers)];
	snprintf(target, sizeof(target), SHOWN "/%s", hierarchy->controllers);
	target[strcspn(target, ",")] = '\0';
	if (mkdir(target, 0755) < 0 ||
	    mount("cgroup", target, "cgroup", SAFE | flags, hierarchy->controllers) < 0)
		return fail("mount %s", target);
	return 0;
}

/* What the devices hierarchy says is the host's affair, and two calls for a mount. */
static bool is_shown(const struct hierarchy *hierarchy)
{
	return hierarchy->holds != 1U << CONTROLLER_DEVICES;
}

static int show_v1(const struct cgroup *cgroup, unsigned long flags)
{
	bool any = false;
	for (int i = 0; i < cgroup->count; i++)
		any |= is_shown(&cgroup->hierarchies[i]);
	if (!any)
		return 0;
	if (mount("tmpfs", SHOWN, "tmpfs", SAFE, "mode=755,size=16k") < 0)
		return fail("mount " SHOWN);
	for (int i = 0; i < cgroup->count; i++)
		if (is_shown(&cgroup->hierarchies[i]) && show_one(&cgroup->hierarchies[i], flags) < 0)
			return -1;
	if (mount(NULL, SHOWN, NULL, MS_REMOUNT | MS_RDONLY | SAFE, "mode=755,size=16k") < 0)
		return fail("make " SHOWN " read-only");
	return 0;
}

int cgroup_show(const struct cgroup *cgroup, unsigned long flags)
{
	if (cgroup_unified(cgroup) < 0)
		return show_v1(cgroup, flags);
	if (mount("cgroup2", SHOWN, "cgroup2", SAFE | flags, NULL) < 0)
		return fail("mount " SHOWN);
	return 0;
}

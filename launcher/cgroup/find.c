#include "launcher/cgroup/find.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "launcher/cgroup/file.h"
#include "rootfs/base/sys.h"
#include "rootfs/base/scoped.h"

#define USUAL "/sys/fs/cgroup"

const struct controller_name cgroup_controllers[CONTROLLER_COUNT] = {
	[CONTROLLER_MEMORY] = { "memory", "memory" },
	[CONTROLLER_CPU] = { "cpu", "cpu" },
	[CONTROLLER_CPUSET] = { "cpuset", "cpuset" },
	[CONTROLLER_PIDS] = { "pids", "pids" },
	[CONTROLLER_IO] = { "blkio", "io" },
	[CONTROLLER_DEVICES] = { "devices", NULL },
};

static bool is_mounted(const char *path, long magic)
{
	struct statfs stat;
	return statfs(path, &stat) == 0 && (long)stat.f_type == magic;
}

static struct cgroup_mount *add(struct cgroup_mounts *mounts, const char *path, bool unified)
{
	if (mounts->count == CGROUP_MOUNTS_MAX)
		return NULL;
	struct cgroup_mount *mount = &mounts->at[mounts->count];
	int n = snprintf(mount->path, sizeof(mount->path), "%s", path);
	if (n < 0 || (size_t)n >= sizeof(mount->path))
		return NULL;
	mount->controllers[0] = '\0';
	mount->detached = 0;
	mount->unified = unified;
	mounts->count++;
	scoped_fd dir = unified ? openat(AT_FDCWD, path, O_DIRECTORY | O_CLOEXEC) : -1;
	if (dir >= 0)
		cgroup_read(dir, "cgroup.controllers", mount->controllers, sizeof(mount->controllers));
	return mount;
}

/* A line of /proc/self/cgroup, cgroups(7): "4:cpu,cpuacct:/path"; v2: "0::/path". */
static void find_one(struct cgroup_mounts *mounts, const char *controllers)
{
	char path[160];
	if (!*controllers && is_mounted(USUAL "/unified", CGROUP2_SUPER_MAGIC))
		add(mounts, USUAL "/unified", true);
	if (!*controllers || strlen(controllers) > 100)
		return;
	snprintf(path, sizeof(path), USUAL "/%s", controllers);
	if (!is_mounted(path, CGROUP_SUPER_MAGIC))
		path[strcspn(path, ",")] = '\0';
	if (!is_mounted(path, CGROUP_SUPER_MAGIC))
		return;
	struct cgroup_mount *mount = add(mounts, path, false);
	if (mount)
		strcpy(mount->controllers, controllers);
}

void cgroup_find_usual(struct cgroup_mounts *mounts)
{
	char line[1024];
	mounts->count = 0;
	if (is_mounted(USUAL, CGROUP2_SUPER_MAGIC)) {
		add(mounts, USUAL, true);
		return;
	}
	FILE *file = fopen("/proc/self/cgroup", "re");
	while (file && fgets(line, sizeof(line), file)) {
		char *rest = line;
		strsep(&rest, ":");
		const char *controllers = strsep(&rest, ":");
		if (controllers && strncmp(controllers, "name=", 5))
			find_one(mounts, controllers);
	}
	if (file)
		fclose(file);
}

/* mountinfo writes space, tab, newline and backslash as \ooo (proc(5)). */
static void unescape(char *text)
{
	char *to = text;
	for (const char *from = text; *from; to++) {
		unsigned value;
		if (*from == '\\' && sscanf(from + 1, "%3o", &value) == 1) {
			*to = (char)value;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The fields of a line are in proc(5): "36 35 98:0 /root /mount/point options … - type source super". */
static void read_line(char *line, struct cgroup_mounts *mounts)
{
	char *rest = strstr(line, " - cgroup");
	char type[16], controllers[160], path[160];
	if (!rest)
		return;
	*rest = '\0';
	if (sscanf(rest + 3, "%15s %*s %159s", type, controllers) != 2 ||
	    sscanf(line, "%*s %*s %*s %*s %159s", path) != 1)
		return;
	unescape(path);
	bool unified = !strcmp(type, "cgroup2");
	struct cgroup_mount *mount = add(mounts, path, unified);
	if (mount && !unified)
		strcpy(mount->controllers, controllers + (strncmp(controllers, "rw,", 3) ? 0 : 3));
}

void cgroup_find_mounted(struct cgroup_mounts *mounts)
{
	mounts->count = 0;
	FILE *file = fopen("/proc/self/mountinfo", "re");
	/* Longer lines are other file systems' (overlay lists its lowers): they come in parts. */
	char line[1024];
	while (file && fgets(line, sizeof(line), file))
		read_line(line, mounts);
	if (file)
		fclose(file);
}

void cgroup_find_detached(struct cgroup_mounts *mounts)
{
	scoped_fd system = sys_fsopen("cgroup2");
	if (mounts->count == CGROUP_MOUNTS_MAX || system < 0 || sys_fsconfig_create(system) < 0)
		return;
	int dir = sys_fsmount(system);
	if (dir < 0)
		return;
	struct cgroup_mount *mount = &mounts->at[mounts->count++];
	*mount = (struct cgroup_mount){ .path = "cgroup2", .detached = dir, .unified = true };
	cgroup_read(dir, "cgroup.controllers", mount->controllers, sizeof(mount->controllers));
}

void cgroup_mounts_close(struct cgroup_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (mounts->at[i].detached)
			close(mounts->at[i].detached);
	mounts->count = 0;
}

bool cgroup_offers(const struct cgroup_mount *mount, enum controller controller)
{
	const struct controller_name *name = &cgroup_controllers[controller];
	if (!mount->unified)
		return cgroup_list_has(mount->controllers, ',', name->v1);
	return !name->v2 || cgroup_list_has(mount->controllers, ' ', name->v2);
}

int cgroup_mount_open(const struct cgroup_mount *mount)
{
	if (mount->detached)
		return fcntl(mount->detached, F_DUPFD_CLOEXEC, 0);
	return openat(AT_FDCWD, mount->path, O_DIRECTORY | O_CLOEXEC);
}

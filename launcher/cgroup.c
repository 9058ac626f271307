#include "launcher/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "launcher/cgroup_find.h"
#include "rootfs/err.h"
#include "rootfs/scoped.h"

/* A limit, and the file that sets it in either dialect. Order matters: v1 wants memory before swap. */
static const struct row {
	const char *option, *controller, *v1, *v2;
} rows[LIMIT_COUNT] = {
	[LIMIT_MEMORY] = { "--memory", "memory", "memory.limit_in_bytes", "memory.max" },
	[LIMIT_SWAP] = { "--memory-swap", "memory", "memory.memsw.limit_in_bytes", "memory.swap.max" },
	[LIMIT_CPU] = { "--cpus", "cpu", "cpu.cfs_quota_us", "cpu.max" },
	[LIMIT_PIDS] = { "--pids-limit", "pids", "pids.max", "pids.max" },
};

static bool any_limit(const struct limits *limits)
{
	for (int kind = 0; kind < LIMIT_COUNT; kind++)
		if (limits->value[kind])
			return true;
	return false;
}

/* Returns 0, or -1 with errno. */
static int write_file(int dir, const char *name, const char *text)
{
	scoped_fd file = openat(dir, name, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	return write(file, text, strlen(text)) < 0 ? -1 : 0;
}

/* Returns the length, or -1 with errno; TEXT ends with NUL. */
static ssize_t read_file(int dir, const char *name, char *text, size_t size)
{
	scoped_fd file = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	ssize_t n = read(file, text, size - 1);
	text[n < 0 ? 0 : n] = '\0';
	return n;
}

/* v2: the controller has to be handed down from the mount's own cgroup. Returns -1 with errno. */
static int hand_down(const char *path, const char *controller)
{
	scoped_fd dir = open(path, O_DIRECTORY | O_CLOEXEC);
	char text[256];
	if (dir < 0)
		return -1;
	if (read_file(dir, "cgroup.subtree_control", text, sizeof(text)) < 0)
		return -1;
	if (cgroup_list_has(text, ' ', controller))
		return 0;
	snprintf(text, sizeof(text), "+%s", controller);
	return write_file(dir, "cgroup.subtree_control", text);
}

static bool offers(const struct cgroup_mount *mount, const char *controller)
{
	if (!mount->unified)
		return cgroup_list_has(mount->controllers, ',', controller);
	scoped_fd dir = open(mount->path, O_DIRECTORY | O_CLOEXEC);
	char text[256];
	return dir >= 0 && read_file(dir, "cgroup.controllers", text, sizeof(text)) > 0 &&
	       cgroup_list_has(text, ' ', controller);
}

static const struct cgroup_mount *find_mount(const struct cgroup_mounts *mounts, const struct row *row)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (offers(&mounts->at[i], row->controller))
			return &mounts->at[i];
	failx("%s: no cgroup of the %s controller is mounted", row->option, row->controller);
	hint("mount -t cgroup2 cgroup2 /sys/fs/cgroup, or with cgroup v1: "
	     "mount -t cgroup -o %s cgroup /sys/fs/cgroup/%s",
	     row->controller, row->controller);
	return NULL;
}

/* A cgroup of that name with nobody in it is what a killed wherry left. */
static int make_dir(struct hierarchy *hierarchy)
{
	if (mkdir(hierarchy->path, 0755) < 0 &&
	    (errno != EEXIST || rmdir(hierarchy->path) < 0 || mkdir(hierarchy->path, 0755) < 0))
		return fail("make the cgroup %s", hierarchy->path);
	hierarchy->dir = open(hierarchy->path, O_DIRECTORY | O_CLOEXEC);
	if (hierarchy->dir < 0) {
		fail("open the cgroup %s", hierarchy->path);
		rmdir(hierarchy->path);
		return -1;
	}
	return 0;
}

/* The container's own cgroup below MOUNT, made if it isn't yet. */
static struct hierarchy *find_or_make(struct cgroup *cgroup, const struct cgroup_mount *mount,
				      const char *name)
{
	char path[sizeof(cgroup->hierarchies[0].path)];
	int n = snprintf(path, sizeof(path), "%s/wherry-%s", mount->path, name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		failx("the cgroup's path is too long: %s/wherry-%s", mount->path, name);
		return NULL;
	}
	for (int i = 0; i < cgroup->count; i++)
		if (!strcmp(cgroup->hierarchies[i].path, path))
			return &cgroup->hierarchies[i];
	struct hierarchy *hierarchy = &cgroup->hierarchies[cgroup->count];
	memcpy(hierarchy->path, path, n + 1);
	hierarchy->unified = mount->unified;
	snprintf(hierarchy->controllers, sizeof(hierarchy->controllers), "%s",
		 mount->controllers + (strncmp(mount->controllers, "rw,", 3) ? 0 : 3));
	hierarchy->dir = -1;
	if (make_dir(hierarchy) < 0)
		return NULL;
	cgroup->count++;
	return hierarchy;
}

/* v1 limits memory and swap together, v2 swap alone. */
static int64_t file_value(const struct limits *limits, int kind, bool unified)
{
	int64_t value = limits->value[kind];
	if (kind == LIMIT_SWAP && unified && value > 0)
		return value - limits->value[LIMIT_MEMORY];
	return value;
}

static int set_limit(const struct hierarchy *hierarchy, const struct limits *limits, int kind)
{
	const struct row *row = &rows[kind];
	const char *file = hierarchy->unified ? row->v2 : row->v1;
	int64_t value = file_value(limits, kind, hierarchy->unified);
	bool words = hierarchy->unified || kind == LIMIT_PIDS; /* v1 writes "no limit" as -1, else "max" */
	char text[32];
	if (value < 0 && words)
		snprintf(text, sizeof(text), "max");
	else
		snprintf(text, sizeof(text), "%lld", (long long)value);
	if (write_file(hierarchy->dir, file, text) == 0)
		return 0;
	if (errno == ENOENT || errno == EACCES) {
		/* EACCES: creating a file is what a cgroup file system refuses with it */
		if (kind == LIMIT_SWAP && limits->swap_by_default)
			return 0;
		failx("%s: this kernel has no %s", row->option, file);
		if (kind == LIMIT_SWAP)
			hint("CONFIG_SWAP, CONFIG_MEMCG and, on older kernels, swapaccount=1 provide it");
		return -1;
	}
	return fail("%s: write %s to %s/%s", row->option, text, hierarchy->path, file);
}

static int apply(struct cgroup *cgroup, const struct cgroup_mounts *mounts, const char *name,
		 const struct limits *limits, int kind)
{
	const struct cgroup_mount *mount = find_mount(mounts, &rows[kind]);
	if (!mount)
		return -1;
	if (mount->unified && hand_down(mount->path, rows[kind].controller) < 0)
		return fail("%s: enable the %s controller in %s/cgroup.subtree_control",
			    rows[kind].option, rows[kind].controller, mount->path);
	struct hierarchy *hierarchy = find_or_make(cgroup, mount, name);
	if (!hierarchy || set_limit(hierarchy, limits, kind) < 0)
		return -1;
	if (kind == LIMIT_MEMORY)
		cgroup->memory = (int)(hierarchy - cgroup->hierarchies);
	return 0;
}

int cgroup_create(struct cgroup *cgroup, const char *name, const struct limits *limits)
{
	*cgroup = (struct cgroup){ .memory = -1 };
	if (!any_limit(limits))
		return 0;
	struct cgroup_mounts mounts;
	if (cgroup_find(&mounts) < 0)
		return -1;
	for (int kind = 0; kind < LIMIT_COUNT; kind++) {
		if (limits->value[kind] && apply(cgroup, &mounts, name, limits, kind) < 0) {
			cgroup_destroy(cgroup);
			return -1;
		}
	}
	return 0;
}

int cgroup_unified(const struct cgroup *cgroup)
{
	for (int i = 0; i < cgroup->count; i++)
		if (cgroup->hierarchies[i].unified)
			return cgroup->hierarchies[i].dir;
	return -1;
}

int cgroup_join(const struct cgroup *cgroup)
{
	for (int i = 0; i < cgroup->count; i++) {
		const struct hierarchy *hierarchy = &cgroup->hierarchies[i];
		if (!hierarchy->unified && write_file(hierarchy->dir, "tasks", "0") < 0)
			return fail("join the cgroup %s", hierarchy->path);
	}
	return 0;
}

#define SHOWN "/sys/fs/cgroup"
#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* Under the first of its controllers' names: cpu,cpuacct is shown as cpu. */
static int show_one(const struct hierarchy *hierarchy)
{
	char target[sizeof(SHOWN) + sizeof(hierarchy->controllers)];
	snprintf(target, sizeof(target), SHOWN "/%s", hierarchy->controllers);
	target[strcspn(target, ",")] = '\0';
	if (mkdir(target, 0755) < 0 ||
	    mount("cgroup", target, "cgroup", SAFE | MS_RDONLY, hierarchy->controllers) < 0)
		return fail("mount %s", target);
	return 0;
}

int cgroup_show(const struct cgroup *cgroup)
{
	if (!cgroup->count)
		return 0;
	if (cgroup_unified(cgroup) >= 0) {
		if (mount("cgroup2", SHOWN, "cgroup2", SAFE | MS_RDONLY, NULL) < 0)
			return fail("mount " SHOWN);
		return 0;
	}
	if (mount("tmpfs", SHOWN, "tmpfs", SAFE, "mode=755,size=16k") < 0)
		return fail("mount " SHOWN);
	for (int i = 0; i < cgroup->count; i++)
		if (show_one(&cgroup->hierarchies[i]) < 0)
			return -1;
	if (mount(NULL, SHOWN, NULL, MS_REMOUNT | MS_RDONLY | SAFE, "mode=755,size=16k") < 0)
		return fail("make " SHOWN " read-only");
	return 0;
}

long cgroup_oom_kills(const struct cgroup *cgroup)
{
	if (cgroup->memory < 0 || cgroup->memory >= cgroup->count)
		return 0;
	const struct hierarchy *hierarchy = &cgroup->hierarchies[cgroup->memory];
	char text[512];
	/* oom_kill: v2 since Linux 4.13, v1 since 4.13 */
	if (read_file(hierarchy->dir, hierarchy->unified ? "memory.events" : "memory.oom_control",
		      text, sizeof(text)) < 0)
		return 0;
	const char *count = strstr(text, "oom_kill ");
	return count ? strtol(count + strlen("oom_kill "), NULL, 10) : 0;
}

/*
 * The last process has been reaped, but the kernel lets go of a dying task's cgroup a moment later:
 * EBUSY for up to a few milliseconds.
 */
static int remove_dir(const char *path)
{
	for (int tries = 0; tries < 100; tries++) {
		if (rmdir(path) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return -1;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return -1;
}

void cgroup_destroy(struct cgroup *cgroup)
{
	for (int i = 0; i < cgroup->count; i++) {
		struct hierarchy *hierarchy = &cgroup->hierarchies[i];
		if (hierarchy->dir >= 0)
			close(hierarchy->dir);
		if (remove_dir(hierarchy->path) < 0)
			warn("the cgroup %s stays: %s", hierarchy->path, strerror(errno));
	}
	cgroup->count = 0;
}

int cgroup_sweep(const char *name)
{
	struct cgroup_mounts mounts;
	if (cgroup_find(&mounts) < 0) {
		failure_clear(); /* no /proc: no cgroup was made */
		return 0;
	}
	int result = 0;
	for (size_t i = 0; i < mounts.count; i++) {
		char path[256];
		snprintf(path, sizeof(path), "%s/wherry-%s", mounts.at[i].path, name);
		if (rmdir(path) < 0 && errno == EBUSY)
			result = -1;
	}
	return result;
}

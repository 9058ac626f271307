#include "launcher/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "launcher/cgroup/file.h"
#include "launcher/cgroup/limits.h"
#include "launcher/cgroup/remove.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

#define BIT(n) (1U << (n))

static unsigned wanted_by(const struct limits *limits)
{
	unsigned wanted = 0;
	for (int kind = 0; kind < LIMIT_COUNT; kind++)
		if (limits_has(limits, kind))
			wanted |= BIT(limit_table[kind].controller);
	return wanted;
}

/* Without its dashes. */
static const char *option_of(const struct limits *limits, enum controller controller)
{
	for (int kind = 0; kind < LIMIT_COUNT; kind++)
		if (limits_has(limits, kind) && limit_table[kind].controller == controller)
			return limits_option(limits, kind);
	return "device-cgroup-rule";
}

/* The first mount with the controller; v1's come first. */
static const struct cgroup_mount *choose(const struct cgroup_mounts *mounts, enum controller controller)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (cgroup_offers(&mounts->at[i], controller))
			return &mounts->at[i];
	return NULL;
}

static bool all_there(const struct cgroup_mounts *mounts, unsigned wanted)
{
	for (int c = 0; c < CONTROLLER_COUNT; c++)
		if (wanted & BIT(c) && !choose(mounts, c))
			return false;
	return true;
}

/* The usual places; the mount table; a mount of our own: from the cheapest to what always works. */
static int find(struct cgroup_mounts *mounts, const struct limits *limits, unsigned wanted)
{
	static void (*const ways[])(struct cgroup_mounts *) = {
		cgroup_find_usual, cgroup_find_mounted, cgroup_find_detached,
	};
	for (int i = 0; i < 3; i++) {
		ways[i](mounts);
		if (all_there(mounts, wanted))
			return 0;
	}
	int lacking = 0;
	while (!(wanted & BIT(lacking)) || choose(mounts, lacking))
		lacking++;
	const char *controller = cgroup_controllers[lacking].v1;
	failx("--%s: no cgroup of the %s controller is mounted, and this kernel's cgroup v2 has none",
	      option_of(limits, lacking), controller);
	return hint("with cgroup v1: mount -t cgroup -o %s cgroup /sys/fs/cgroup/%s", controller,
		    controller);
}

/* One with nobody in it is what a killed wherry left. Returns 0 or -1 with errno, EBUSY: it is somebody's. */
static int make_dir(const struct hierarchy *hierarchy)
{
	int parent = hierarchy->parent.dir;
	if (mkdirat(parent, hierarchy->name, 0755) == 0)
		return 0;
	if (errno != EEXIST || unlinkat(parent, hierarchy->name, AT_REMOVEDIR) < 0)
		return -1;
	return mkdirat(parent, hierarchy->name, 0755);
}

/*
 * Locked as long as wherry lives: nobody who sweeps takes it for what is left of another of that name. Any
 * user can open it, and lock it first: we go on without.
 */
static int open_dir(struct hierarchy *hierarchy)
{
	int parent = hierarchy->parent.dir;
	hierarchy->dir = openat(parent, hierarchy->name, O_DIRECTORY | O_CLOEXEC);
	if (hierarchy->dir < 0 || (flock(hierarchy->dir, LOCK_SH | LOCK_NB) < 0 && errno != EWOULDBLOCK))
		return fail("open the cgroup %s/%s", hierarchy->parent.path, hierarchy->name);
	if (!hierarchy->unified && hierarchy->holds & BIT(CONTROLLER_CPUSET))
		return cgroup_limit_inherit_cpuset(parent, hierarchy->dir);
	return 0;
}

static int explain_dir(struct cgroup *cgroup, const struct hierarchy *hierarchy, const char *name)
{
	const char *path = hierarchy->parent.path;
	if (errno != EBUSY)
		return fail("make the cgroup %s/%s", path, hierarchy->name);
	cgroup->taken = true;
	return failx("the name %s is taken: a container of another --state has the cgroup %s/%s", name, path,
		     hierarchy->name);
}

static int remove_one(struct hierarchy *);

/* The container's own cgroup below MOUNT, for the controllers HOLDS. */
static int make_one(struct cgroup *cgroup, const struct cgroup_mount *mount, unsigned holds,
		    const char *name, const char *option)
{
	struct hierarchy *hierarchy = &cgroup->hierarchies[cgroup->count];
	*hierarchy = (struct hierarchy){ .dir = -1, .holds = holds, .unified = mount->unified };
	snprintf(hierarchy->name, sizeof(hierarchy->name), "wherry-%s", name);
	if (!mount->unified)
		strcpy(hierarchy->controllers, mount->controllers);
	unsigned wanted = holds & ~(mount->unified ? BIT(CONTROLLER_DEVICES) : 0);
	if (cgroup_parent_open(&hierarchy->parent, mount, wanted, name, cgroup->front, option) < 0)
		return -1;
	if (make_dir(hierarchy) < 0) {
		explain_dir(cgroup, hierarchy, name);
		cgroup_parent_close(&hierarchy->parent);
		return -1;
	}
	if (open_dir(hierarchy) < 0) {
		remove_one(hierarchy);
		return -1;
	}
	cgroup->count++;
	return 0;
}

/* One cgroup for all the controllers of WANTED that are in the same hierarchy as the first of them. */
static int make(struct cgroup *cgroup, const struct cgroup_mounts *mounts, unsigned wanted,
		const char *name, const struct limits *limits)
{
	for (int c = 0; c < CONTROLLER_COUNT; c++) {
		unsigned holds = 0;
		if (!(wanted & BIT(c)))
			continue;
		const struct cgroup_mount *mount = choose(mounts, c);
		for (int other = c; other < CONTROLLER_COUNT; other++)
			if (wanted & BIT(other) && choose(mounts, other) == mount)
				holds |= BIT(other);
		wanted &= ~holds;
		if (make_one(cgroup, mount, holds, name, option_of(limits, c)) < 0)
			return -1;
	}
	return 0;
}

static struct hierarchy *holder(const struct cgroup *cgroup, enum controller controller)
{
	for (int i = 0; i < cgroup->count; i++)
		if (cgroup->hierarchies[i].holds & BIT(controller))
			return (struct hierarchy *)&cgroup->hierarchies[i];
	return NULL;
}

static int set_limit(const struct hierarchy *hierarchy, const struct limits *limits, enum limit_kind kind)
{
	return cgroup_limit_set(hierarchy->dir, hierarchy->unified, hierarchy->name, limits, kind);
}

/* Linux 5.10 doesn't hold who is cloned into a cgroup to its cpuset, only who is in when that changes. */
static bool waits_for_members(const struct hierarchy *hierarchy, enum limit_kind kind)
{
	return hierarchy->unified && limit_table[kind].controller == CONTROLLER_CPUSET;
}

static int set_limits(const struct cgroup *cgroup, const struct limits *limits)
{
	for (int kind = 0; kind < LIMIT_COUNT; kind++) {
		if (!limits_has(limits, kind))
			continue;
		const struct hierarchy *hierarchy = holder(cgroup, limit_table[kind].controller);
		if (!waits_for_members(hierarchy, kind) && set_limit(hierarchy, limits, kind) < 0)
			return -1;
	}
	return 0;
}

int cgroup_hold_processors(const struct cgroup *cgroup, const struct limits *limits)
{
	for (int kind = 0; kind < LIMIT_COUNT; kind++) {
		if (!limits_has(limits, kind))
			continue;
		const struct hierarchy *hierarchy = holder(cgroup, limit_table[kind].controller);
		if (waits_for_members(hierarchy, kind) && set_limit(hierarchy, limits, kind) < 0)
			return -1;
	}
	return 0;
}

static int create(struct cgroup *cgroup, const char *name, const struct limits *limits, unsigned wanted)
{
	struct cgroup_mounts mounts;
	int r = find(&mounts, limits, wanted);
	if (r == 0)
		r = make(cgroup, &mounts, wanted, name, limits);
	cgroup_mounts_close(&mounts);
	if (r == 0)
		r = set_limits(cgroup, limits);
	if (r < 0)
		cgroup_destroy(cgroup);
	return r;
}

/* Before anybody is in: between "deny all" and the rules that allow, nothing could be made or opened. */
static int hold_v1(struct cgroup *cgroup, const struct devices *devices)
{
	const struct hierarchy *hierarchy = holder(cgroup, CONTROLLER_DEVICES);
	if (!hierarchy || hierarchy->unified)
		return 0;
	int r = devices_hold_v1(hierarchy->dir, devices);
	cgroup->held = r > 0;
	if (r < 0)
		cgroup_destroy(cgroup);
	return r < 0 ? -1 : 0;
}

int cgroup_create(struct cgroup *cgroup, const char *name, const struct limits *limits,
		  const struct devices *devices)
{
	unsigned wanted = wanted_by(limits);
	cgroup->count = 0;
	cgroup->held = cgroup->taken = false;
	if (!devices->rule_count)
		return wanted ? create(cgroup, name, limits, wanted) : 0;
	if (create(cgroup, name, limits, wanted | BIT(CONTROLLER_DEVICES)) == 0)
		return hold_v1(cgroup, devices);
	if (cgroup->taken)
		return -1;
	/* Was it the devices that failed? Who asked for none of that runs without. */
	failure_clear();
	return wanted ? create(cgroup, name, limits, wanted) : 0;
}

int cgroup_hold_devices(const struct cgroup *cgroup, const struct devices *devices)
{
	const struct hierarchy *hierarchy = holder(cgroup, CONTROLLER_DEVICES);
	int r = cgroup->held;
	if (hierarchy && hierarchy->unified)
		r = devices_hold_v2(hierarchy->dir, devices);
	if (r || !devices->wanted_by)
		return r;
	failx("%s: nothing here can hold a container to its devices", devices->wanted_by);
	return hint("CONFIG_CGROUP_DEVICE with cgroup v1, or CONFIG_CGROUP_BPF with v2, and root, provide it");
}

int cgroup_unified(const struct cgroup *cgroup)
{
	for (int i = 0; i < cgroup->count; i++)
		if (cgroup->hierarchies[i].unified)
			return cgroup->hierarchies[i].dir;
	return -1;
}

int cgroup_of(const struct cgroup *cgroup, const char *controller, bool *unified)
{
	*unified = false;
	for (int i = 0; i < cgroup->count; i++)
		if (cgroup_list_has(cgroup->hierarchies[i].controllers, ',', controller))
			return cgroup->hierarchies[i].dir;
	/* What v2 knows of a cgroup without the controller, it says too. */
	*unified = true;
	return cgroup_unified(cgroup);
}

int cgroup_join(const struct cgroup *cgroup)
{
	for (int i = 0; i < cgroup->count; i++) {
		const struct hierarchy *hierarchy = &cgroup->hierarchies[i];
		if (!hierarchy->unified && cgroup_write(hierarchy->dir, "tasks", "0") < 0)
			return fail("join the cgroup %s/%s", hierarchy->parent.path, hierarchy->name);
	}
	return 0;
}

static int remove_one(struct hierarchy *hierarchy)
{
	if (hierarchy->dir >= 0)
		close(take_fd(&hierarchy->dir));
	int r = cgroup_remove(hierarchy->parent.dir, hierarchy->name);
	if (r < 0)
		warn("the cgroup %s/%s stays: %s", hierarchy->parent.path, hierarchy->name,
		     strerror(errno));
	cgroup_parent_close(&hierarchy->parent);
	return r;
}

int cgroup_destroy(struct cgroup *cgroup)
{
	int r = 0;
	for (int i = 0; i < cgroup->count; i++)
		if (remove_one(&cgroup->hierarchies[i]) < 0)
			r = -1;
	cgroup->count = 0;
	return r;
}

/* Whether its launcher lives, which then has another --state; or somebody keeps the lock for no good. */
static bool is_held(int parent, const char *name)
{
	scoped_fd dir = openat(parent, name, O_DIRECTORY | O_CLOEXEC);
	return dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/*
 * Also the cgroup that a launcher moved itself into. Returns -1 for one that is in use, or somebody
 * else's to remove. EROFS is said of what isn't there too.
 */
static int sweep_one(int parent, const char *name)
{
	char container[80], launcher[80];
	snprintf(container, sizeof(container), "wherry-%s", name);
	snprintf(launcher, sizeof(launcher), "wherry.%s", name);
	if (is_held(parent, container))
		return unlinkat(parent, container, AT_REMOVEDIR); /* unless there is nobody in it */
	int result = cgroup_remove(parent, container) < 0 && errno != EROFS ? -1 : 0;
	if (cgroup_remove(parent, launcher) < 0 && errno != EROFS)
		result = -1;
	return result;
}

int cgroup_sweep(const char *name)
{
	struct cgroup_mounts mounts;
	int result = 0;
	cgroup_find_mounted(&mounts);
	if (!mounts.count)
		cgroup_find_usual(&mounts); /* no /proc */
	if (!mounts.count)
		cgroup_find_detached(&mounts);
	for (size_t i = 0; i < mounts.count; i++)
		result += cgroup_parent_each(&mounts.at[i], sweep_one, name);
	cgroup_mounts_close(&mounts);
	return result < 0 ? -1 : 0;
}

int cgroup_enter(const struct cgroup *cgroup)
{
	if (cgroup_join(cgroup) < 0)
		return -1;
	/* EINVAL: a kernel without cgroups, which runs everything but limits */
	if (unshare(CLONE_NEWCGROUP) < 0 && errno != EINVAL)
		return fail("make a cgroup namespace");
	return 0;
}

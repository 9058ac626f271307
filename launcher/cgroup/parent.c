#include "launcher/cgroup/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/cgroup/file.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

#define BIT(n) (1U << (n))
#define CONTROL "cgroup.subtree_control"

/* The path of the leaf's cgroup.procs. */
enum { PROCS_MAX = sizeof(((struct cgroup_parent *)NULL)->leaf) + sizeof("/cgroup.procs") };

/* Why a cgroup was not taken, in the order in which it is worth telling. */
enum verdict { TAKEN, FOREIGN, LACKING, CROWDED };

/* What is asked of a cgroup that could be the parent. */
struct candidate {
	const struct cgroup_mount *mount;
	const char *name; /* the container's */
	unsigned wanted;  /* bits of enum controller */
	pid_t front;      /* the other process of wherry's; 0: none */
	bool may_move;    /* wherry itself, where it stands in its own way: that takes milliseconds */
};

static bool of_this_mount(const struct cgroup_mount *mount, const char *controllers)
{
	return mount->unified ? !*controllers : !strcmp(controllers, mount->controllers);
}

/*
 * Wherry's own cgroup, relative to the mount's: "a/b", "" at its root. cgroups(7): "4:memory:/a/b".
 * A path that climbs (/..) is outside the cgroup namespace.
 */
static void find_own(const struct cgroup_mount *mount, char *own, size_t size)
{
	char line[1024];
	own[0] = '\0';
	FILE *file = fopen("/proc/self/cgroup", "re");
	while (file && fgets(line, sizeof(line), file)) {
		char *rest = line;
		strsep(&rest, ":");
		const char *controllers = strsep(&rest, ":");
		if (!rest || !of_this_mount(mount, controllers) || *rest != '/')
			continue;
		rest[strcspn(rest, "\n")] = '\0';
		if (strncmp(rest, "/..", 3) && strlen(rest) < size)
			strcpy(own, rest + 1);
		break;
	}
	if (file)
		fclose(file);
}

/* "a/b" → "a" → "". */
static void go_up(char *path)
{
	char *slash = strrchr(path, '/');
	*(slash ? slash : path) = '\0';
}

static const char *or_here(const char *path)
{
	return *path ? path : ".";
}

static unsigned bits_of(const char *list)
{
	unsigned bits = 0;
	for (int c = 0; c < CONTROLLER_COUNT; c++)
		if (cgroup_controllers[c].v2 && cgroup_list_has(list, ' ', cgroup_controllers[c].v2))
			bits |= BIT(c);
	return bits;
}

/* Hands down WANTED in one cgroup; one by one, so that one that cannot be costs no other. Returns errno. */
static int hand_down(int dir, unsigned wanted, unsigned *enabled)
{
	char text[256];
	int error = 0;
	if (cgroup_read(dir, CONTROL, text, sizeof(text)) < 0)
		return errno;
	unsigned missing = wanted & ~bits_of(text);
	for (int c = 0; c < CONTROLLER_COUNT; c++) {
		if (!(missing & BIT(c)))
			continue;
		snprintf(text, sizeof(text), "+%s", cgroup_controllers[c].v2);
		if (cgroup_write(dir, CONTROL, text) < 0)
			error = errno;
		else
			*enabled |= BIT(c);
	}
	return error;
}

/* From the mount's cgroup down to the one above PATH, as far as wherry may: what is lacking shows below. */
static void hand_down_to(int root, const char *path, unsigned wanted)
{
	char prefix[256];
	unsigned enabled = 0;
	for (const char *end = path; *path && end; end = strchr(end + 1, '/')) {
		snprintf(prefix, sizeof(prefix), "%.*s", (int)(end - path), path);
		scoped_fd dir = openat(root, or_here(prefix), O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0)
			hand_down(dir, wanted, &enabled);
	}
}

/* Whether this process, and the front, are the only ones in the cgroup. */
static bool is_alone(int dir, pid_t front)
{
	char text[64], *end;
	if (cgroup_read(dir, "cgroup.procs", text, sizeof(text)) <= 0)
		return false;
	for (const char *line = text; *line; line = end + 1) {
		long pid = strtol(line, &end, 10);
		if (*end != '\n' || (pid != getpid() && (!front || pid != front)))
			return false;
	}
	return true;
}

static void name_members(const struct cgroup_parent *parent, char procs[PROCS_MAX])
{
	snprintf(procs, PROCS_MAX, "%s/cgroup.procs", parent->leaf);
}

/* All of its processes are wherry's: back to where they came from. */
static void empty_leaf(const struct cgroup_parent *parent)
{
	char procs[PROCS_MAX], text[64];
	name_members(parent, procs);
	cgroup_read(parent->dir, procs, text, sizeof(text));
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		cgroup_write(parent->dir, "cgroup.procs", line);
	}
}

static int move_to_leaf(struct cgroup_parent *parent, const struct candidate *candidate)
{
	char procs[PROCS_MAX], front[16];
	snprintf(parent->leaf, sizeof(parent->leaf), "wherry.%s", candidate->name);
	snprintf(front, sizeof(front), "%d", candidate->front);
	name_members(parent, procs);
	if ((mkdirat(parent->dir, parent->leaf, 0755) == 0 || errno == EEXIST) &&
	    (!candidate->front || cgroup_write(parent->dir, procs, front) == 0) &&
	    cgroup_write(parent->dir, procs, "0") == 0)
		return 0;
	empty_leaf(parent);
	unlinkat(parent->dir, parent->leaf, AT_REMOVEDIR);
	parent->leaf[0] = '\0';
	return -1;
}

/*
 * Whether the "no internal processes" rule holds here: the machine's root, which has no cgroup.type, is
 * free of it. The kernel itself refuses only some controllers where processes are; with the others
 * (cpu, cpuset, pids) the cgroups below could have none (cgroup-v2.rst, "Threads").
 */
static bool is_crowded(int dir, unsigned wanted)
{
	char text[64];
	if (faccessat(dir, "cgroup.type", F_OK, 0) < 0 ||
	    cgroup_read(dir, "cgroup.procs", text, sizeof(text)) == 0)
		return false;
	return wanted || cgroup_read(dir, CONTROL, text, sizeof(text)) != 0;
}

/* v2: whether the cgroup hands down what is wanted, made to where that is possible. */
static enum verdict prepare(struct cgroup_parent *parent, const struct candidate *candidate)
{
	char text[256];
	unsigned wanted = candidate->wanted;
	if (cgroup_read(parent->dir, "cgroup.controllers", text, sizeof(text)) < 0 ||
	    wanted & ~bits_of(text))
		return LACKING;
	if (is_crowded(parent->dir, wanted) &&
	    (!candidate->may_move || !is_alone(parent->dir, candidate->front) ||
	     move_to_leaf(parent, candidate) < 0))
		return CROWDED;
	return hand_down(parent->dir, wanted, &parent->enabled) == 0 ? TAKEN : FOREIGN;
}

/* PATH is relative to ROOT, the mount's own cgroup. */
static enum verdict try_one(struct cgroup_parent *parent, const struct candidate *candidate, int root,
			    const char *path)
{
	const struct cgroup_mount *mount = candidate->mount;
	*parent = (struct cgroup_parent){ .dir = openat(root, or_here(path), O_DIRECTORY | O_CLOEXEC) };
	int n = snprintf(parent->path, sizeof(parent->path), "%s%s%s", mount->path, *path ? "/" : "",
			 path);
	if (parent->dir < 0 || n < 0 || (size_t)n >= sizeof(parent->path))
		return FOREIGN;
	/* cgroup.procs: whoever starts a process in a cgroup below has to be allowed to move it here. */
	if (faccessat(parent->dir, ".", W_OK | X_OK, AT_EACCESS) < 0 ||
	    (mount->unified && faccessat(parent->dir, "cgroup.procs", W_OK, AT_EACCESS) < 0))
		return FOREIGN;
	if (!mount->unified)
		return TAKEN;
	hand_down_to(root, path, candidate->wanted);
	return prepare(parent, candidate);
}

/*
 * Tries the mount's own cgroup, then wherry's and those above it. Where none is taken, the worst
 * verdict stays, and PARENT's path says where that was.
 */
static enum verdict try_all(struct cgroup_parent *parent, const struct candidate *candidate, int root)
{
	char path[200], where[sizeof(parent->path)];
	enum verdict worst = FOREIGN, verdict = try_one(parent, candidate, root, "");
	if (verdict == TAKEN)
		return TAKEN;
	find_own(candidate->mount, path, sizeof(path));
	int n = snprintf(where, sizeof(where), "%s/%s", candidate->mount->path, path);
	if (n < 0 || (size_t)n >= sizeof(where))
		return FOREIGN;
	for (;; go_up(path)) {
		if (verdict > worst) {
			worst = verdict;
			memcpy(where, parent->path, sizeof(where));
		}
		cgroup_parent_close(parent);
		if (!*path)
			break;
		verdict = try_one(parent, candidate, root, path);
		if (verdict == TAKEN)
			return TAKEN;
	}
	memcpy(parent->path, where, sizeof(where));
	return worst;
}

static int explain(enum verdict worst, const char *where, unsigned wanted, const char *option)
{
	const char *controller = "";
	for (int c = 0; c < CONTROLLER_COUNT && !*controller; c++)
		if (wanted & BIT(c))
			controller = cgroup_controllers[c].v2 ? cgroup_controllers[c].v2 : "devices";
	switch (worst) {
	case CROWDED:
		failx("--%s: %s has other processes in it: it cannot hand down the %s controller", option,
		      where, controller);
		return hint("move them into a cgroup below it, or start wherry in one of its own");
	case LACKING:
		failx("--%s: %s has not been given the %s controller", option, where, controller);
		return hint("the cgroups above it have to hand it down, in cgroup.subtree_control");
	default:
		failx("--%s: no cgroup is wherry's to write to, from %s up", option, where);
		return hint("have one delegated: systemd-run --user --scope -p Delegate=yes wherry …, or "
			    "as root: mkdir, chown it and its cgroup.* files, and start wherry there");
	}
}

int cgroup_parent_open(struct cgroup_parent *parent, const struct cgroup_mount *mount, unsigned wanted,
		       const char *name, pid_t front, const char *option)
{
	struct candidate candidate = { mount, name, wanted, front, false };
	parent->dir = -1;
	scoped_fd root = cgroup_mount_open(mount);
	if (root < 0)
		return fail("--%s: open the cgroup %s", option, mount->path);
	enum verdict verdict = try_all(parent, &candidate, root);
	if (verdict == CROWDED) {
		candidate.may_move = true;
		verdict = try_all(parent, &candidate, root);
	}
	return verdict == TAKEN ? 0 : explain(verdict, parent->path, wanted, option);
}

/* Back out of the leaf, before which the cgroup has to be one that hands down nothing. */
static void leave_leaf(struct cgroup_parent *parent)
{
	char text[32];
	for (int c = 0; c < CONTROLLER_COUNT; c++) {
		if (!(parent->enabled & BIT(c)))
			continue;
		snprintf(text, sizeof(text), "-%s", cgroup_controllers[c].v2);
		cgroup_write(parent->dir, CONTROL, text);
	}
	empty_leaf(parent);
	unlinkat(parent->dir, parent->leaf, AT_REMOVEDIR);
	parent->leaf[0] = '\0';
}

void cgroup_parent_close(struct cgroup_parent *parent)
{
	if (parent->dir < 0)
		return;
	if (*parent->leaf)
		leave_leaf(parent);
	close(take_fd(&parent->dir));
}

int cgroup_parent_each(const struct cgroup_mount *mount, int (*remove)(int dir, const char *name),
		       const char *name)
{
	char path[200];
	scoped_fd root = cgroup_mount_open(mount);
	if (root < 0)
		return 0;
	int sum = remove(root, name);
	find_own(mount, path, sizeof(path));
	while (*path) {
		scoped_fd dir = openat(root, path, O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0)
			sum += remove(dir, name);
		go_up(path);
	}
	return sum;
}

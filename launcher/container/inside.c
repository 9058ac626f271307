#include "launcher/container/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/report.h"
#include "launcher/container/exec.h"
#include "launcher/rights/caps.h"
#include "rootfs/base/descriptor.h"
#include "launcher/mount/mask.h"
#include "launcher/mount/mounts.h"
#include "launcher/mount/target.h"
#include "launcher/net/net.h"
#include "launcher/mount/root.h"
#include "rootfs/base/sys.h"
#include "launcher/rights/keyring.h"
#include "launcher/rights/sysctl.h"
#include "launcher/mount/binds.h"
#include "launcher/supervise/standard.h"
#include "launcher/supervise/supervise.h"
#include "launcher/rights/user.h"
#include "launcher/rights/userns.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/*
 * Of all descriptors, those that the child is given stay. Any other that leads to a directory of the
 * host's, such as the store's, would be a way there for an image whose working directory or link is
 * /proc/self/fd/N/.. (CVE-2024-21626 was that): everything is resolved after this.
 */
static int close_others(const struct inside *inside, const struct spec *spec)
{
	const struct volumes *volumes = inside->volumes;
	int keep[] = { inside->report, inside->go, inside->init, inside->parent, volumes->dir,
		       volumes->work.dir, spec->root.has_tree ? spec->root.tree : -1,
		       inside->ipc.trees[0], inside->ipc.trees[1] };
	int next = STDERR_FILENO + 1;
	qsort(keep, sizeof(keep) / sizeof(*keep), sizeof(*keep), compare);
	for (size_t i = 0; i < sizeof(keep) / sizeof(*keep); i++) {
		if (keep[i] > next && sys_close_range((unsigned)next, (unsigned)keep[i] - 1) < 0)
			return fail("close the launcher's files");
		if (keep[i] >= next)
			next = keep[i] + 1;
	}
	return sys_close_range((unsigned)next, ~0U) < 0 ? fail("close the launcher's files") : 0;
}

static int wait_for_go(struct inside *inside, const struct spec *spec)
{
	char byte;
	ssize_t n = read(inside->go, &byte, 1);
	if (n < 0)
		return fail("wait for wherry");
	if (n == 0)
		_exit(EXIT_WHERRY); /* the parent has failed, and says so itself */
	inside->held = byte;
	return spec->net.kind != NETWORK_HOST ? net_join(inside->parent) : 0;
}

static int mount_ipc(int root, const struct spec *spec)
{
	if (!spec_has_own_ipc(spec))
		return 0;
	if (spec->ipc != IPC_NONE && mounts_shm(root, spec->shm_size) < 0)
		return -1;
	return mounts_mqueue(root);
}

/* The host's network is not a user namespace's to show: sysfs cannot be mounted anew there. */
static bool borrows_sys(const struct spec *spec)
{
	return (spec->root.unprivileged || spec_is_mapped(spec)) && spec->net.kind == NETWORK_HOST;
}

/* An image may bring nodes of the host's disks, and so may who can make them. */
static unsigned long nodev(const struct inside *inside, const struct spec *spec)
{
	return (inside->held && !spec_is_mapped(spec)) || spec->privileged ? 0 : MS_NODEV;
}

/* /sys shows the network namespace that it is mounted in: the parent makes that meanwhile. */
static int mount_kernel(struct inside *inside, const struct spec *spec)
{
	char devices[PATH_MAX];
	scoped_fd root = root_open(&spec->root);
	if (root < 0)
		return -1;
	umask(0); /* the modes of devices are meant as they stand */
	root_devices(&spec->root, devices, sizeof(devices));
	if (mounts_kernel(&inside->mounts, root, spec->host_pid ? "/proc" : NULL) < 0 ||
	    devices_make(root, &spec->devices, spec_is_mapped(spec) ? devices : NULL) < 0 ||
	    mount_ipc(root, spec) < 0)
		return -1;
	umask(022);
	if (!spec_is_mapped(spec) && wait_for_go(inside, spec) < 0)
		return -1;
	if (borrows_sys(spec))
		return mounts_host_sys(&inside->mounts, root);
	return mounts_sys(root, spec->privileged ? 0 : MS_RDONLY);
}

/* Its file system is mounted already, at STAGING/root. */
static int make_root(struct inside *inside, const struct spec *spec, const struct binds *volumes)
{
	struct binds own = { .count = 0 };
	if (binds_open_own(&own, spec, &inside->ipc) < 0 || mount_kernel(inside, spec) < 0 || root_enter(&spec->root) < 0)
		return -1;
	if (net_is_own(&spec->net))
		sysctl_set_usual(inside->mounts.proc);
	for (size_t i = 0; i < spec->sysctls.count; i++)
		if (sysctl_set(inside->mounts.proc, spec->sysctls.at[i]) < 0)
			return -1;
	if (cgroup_show(inside->cgroup, spec->privileged ? 0 : MS_RDONLY) < 0 ||
	    binds_put_own(&own, &inside->mounts, spec_is_mapped(spec) ? MS_NODEV : 0) < 0 ||
	    /* what a user of the host's puts in /dev he may open anyway */
	    binds_put_volumes(volumes, &inside->mounts, spec, spec->root.unprivileged ? 0 : nodev(inside, spec)) < 0)
		return -1;
	binds_close(volumes);
	binds_close(&own);
	return 0;
}

static int explain_user(const struct root *root)
{
	if (root->unprivileged)
		return hint("without root there are only the ids that /etc/subuid and /etc/subgid give "
			    "you, and newuidmap is needed to use them");
	if (root->ids.users.count)
		return hint("--userns has given the container %u user and %u group ids",
			    root->ids.users.count, root->ids.groups.count);
	return -1;
}

/* The filter first: it takes CAP_SYS_ADMIN. What is called from here on is in seccomp.c's list. */
static int give_up_rights(const struct inside *inside, const struct spec *spec, const struct user *user)
{
	const struct process *process = &spec->process;
	uint64_t caps = process->caps | (inside->held ? process->caps_if_held : 0);
	/* Where the filter keeps all keys away anyway there is no need: a user may have so many keyrings only. */
	if ((process->seccomp && keyring_leave() < 0) || seccomp_install(&inside->seccomp) < 0 || caps_bound(caps) < 0)
		return -1;
	if (user_become(user, spec->root.unprivileged) < 0)
		return explain_user(&spec->root);
	/*
	 * Whoever isn't root has lost the others by setuid(2), but not what wherry's caller had inheritable. The init
	 * cannot be read without those, and is kept from being looked into: carried.h.
	 */
	if (caps_set(user->uid == 0 ? caps : 0, process->no_init ? 0 : caps_to_read) < 0)
		return -1;
	if (process->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail("set no_new_privs");
	return 0;
}

/* The working directory is made and entered by root: its user need not be allowed to (docker-run(1)). */
static int enter(const struct inside *inside, const struct spec *spec, const struct user *user)
{
	const char *cwd = spec->process.cwd;
	if (target_make(cwd, true) < 0 || root_seal(&spec->root, nodev(inside, spec)) < 0 ||
	    (!spec->privileged && mask(&inside->mounts) < 0))
		return -1;
	for (size_t i = 0; i < spec->process.rlimit_count; i++)
		if (rlimit_set(&spec->process.rlimits[i]) < 0)
			return -1;
	bool entered = chdir(cwd) == 0;
	if (give_up_rights(inside, spec, user) < 0)
		return -1;
	/* A file system of others, NFS or FUSE, may let its user in alone. */
	if (!entered && chdir(cwd) < 0)
		return fail_status(EXIT_NOT_EXECUTABLE, "enter %s: %s", cwd, strerror(errno));
	/* One that cannot be reached from /, whatever link of /proc led there, has no name. */
	char here[PATH_MAX];
	if (!getcwd(here, sizeof(here)))
		return failx("enter %s: it is not in the container", cwd);
	return 0;
}

/* A session of its own: no key of the caller's terminal reaches it. Without -i the program reads nothing. */
static int connect_input(const struct inside *inside, const struct process *process, const struct user *user)
{
	setsid();
	if (process->terminal)
		return standard_terminal(inside->go, user->uid, inside->mounts.dev, inside->mounts.pts);
	if (standard_pipes(inside->go, user->uid, process->input) < 0)
		return -1;
	if (process->input)
		return 0;
	return dup2(inside->mounts.null, STDIN_FILENO) < 0 ? fail("open /dev/null") : 0;
}

static int find_user(struct user *user, const struct process *process)
{
	if (user_find(user, process->user) < 0)
		return -1;
	for (size_t i = 0; i < process->groups.count; i++)
		if (user_add_group(user, process->groups.at[i]) < 0)
			return -1;
	return 0;
}

static int set_oom_score(int proc, int score)
{
	char text[16];
	if (!score)
		return 0;
	/* It is a user namespace's root's only while we can be looked into (proc(5)); nobody may, we have all rights. */
	prctl(PR_SET_DUMPABLE, 1);
	scoped_fd file = openat(proc, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return fail("keep others from looking in");
	int n = snprintf(text, sizeof(text), "%d", score);
	if (file < 0 || write(file, text, (size_t)n) != n)
		return fail("--oom-score-adj %d", score);
	return 0;
}

/* With the rights that the parent gave, in a user namespace too: setuid comes later. */
static int begin(const struct inside *inside, const struct spec *spec, struct binds *volumes)
{
	umask(022);
	if (become_tied(inside->report) < 0 || cgroup_enter(inside->cgroup) < 0 ||
	    close_others(inside, spec) < 0)
		return -1;
	if (!spec->host_uts && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return fail("set the host name to %s", spec->hostname);
	if (!spec_is_mapped(spec))
		return binds_open_volumes(volumes, spec);
	volumes_leave(inside->volumes);
	return 0;
}

static int fill_volumes(const struct inside *inside, const struct spec *spec)
{
	if (!volumes_wait(inside->volumes))
		return 0;
	scoped_fd root = root_open(&spec->root);
	if (root < 0 || volumes_fill(inside->volumes, root, spec) < 0)
		return -1;
	volumes_leave(inside->volumes);
	return 0;
}

static int end(const struct inside *inside, const struct spec *spec)
{
	struct user user;
	if (find_user(&user, &spec->process) < 0 || set_oom_score(inside->mounts.proc, spec->process.oom_score_adj) < 0 ||
	    connect_input(inside, &spec->process, &user) < 0 || enter(inside, spec, &user) < 0)
		return -1;
	return become_init(inside, spec, &user);
}

static int run(struct inside *inside, const struct spec *spec)
{
	struct binds volumes = { .count = 0 };
	if (begin(inside, spec, &volumes) < 0 || root_mount(&spec->root, -1) < 0 ||
	    fill_volumes(inside, spec) < 0 || make_root(inside, spec, &volumes) < 0)
		return -1;
	return end(inside, spec);
}

/*
 * In a user namespace: its ids, and the root file system that only the machine's root can make, come
 * with "go". Failed or not, we wait for it: the parent needs us in /proc until then.
 */
static int run_mapped(struct inside *inside, const struct spec *spec)
{
	struct binds volumes = { .count = 0 };
	struct spec reached = *spec;
	char staging[32];
	int held, begun = begin(inside, spec, &volumes);
	if (begun == 0 && spec->net.kind == NETWORK_NONE)
		begun = net_create();
	scoped_fd tree = descriptor_receive(inside->go, &held);
	if (tree < 0 && errno)
		return fail("take over the container's root");
	if (tree < 0)
		_exit(EXIT_WHERRY); /* as in wait_for_go */
	inside->held = held;
	/* Not earlier: volumes have been filled. */
	if (begun < 0 || binds_open_volumes(&volumes, spec) < 0 || root_attach(&spec->root, tree) < 0 ||
	    userns_become_root() < 0 || become_tied(inside->report) < 0)
		return -1;
	/* Only now: /dev/mqueue belongs to who makes the namespace. */
	if (spec_has_own_ipc(spec) && unshare(CLONE_NEWIPC) < 0)
		return fail("make an IPC namespace");
	/* What leads to the state directory need not be open to the container's root. */
	snprintf(staging, sizeof(staging), "/proc/self/fd/%d", tree);
	reached.root.staging = staging;
	if (make_root(inside, &reached, &volumes) < 0)
		return -1;
	close(take_fd(&tree));
	return end(inside, spec);
}

void inside_run(struct inside *inside, const struct spec *spec)
{
	if (spec_is_mapped(spec))
		run_mapped(inside, spec);
	else
		run(inside, spec);
	supervise_fail(inside->go);
	_exit(EXIT_WHERRY);
}

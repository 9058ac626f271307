/*
 * What happens when a container runs, in this order. Each word that ends in () is a function; tests/launcher/order.sh
 * traces a launch and compares.
 *
 *	outside                                     inside (inside.c)
 *	carried_open()            the init's copy
 *	state_create()            the name taken
 *	net_open()                of a bridge: its ports and an address taken, the bridge made
 *	cgroup_create()           made, limits set
 *	clone_child() ────────────────────────────► become_tied()           to the parent's life
 *	cgroup_hold_processors()                    cgroup_enter()          its own, and its namespace
 *	cgroup_hold_devices()                       close_others()          what is the launcher's
 *	settle_network()                            binds_open_volumes()    -v's sources, while they are in reach
 *	  (while the inside mounts)                 root_mount()            the overlay
 *	                                            binds_open_own()        /etc/hosts and its kind
 *	                                            mounts_kernel()         /proc, /dev, /dev/pts
 *	                                            devices_make()          device nodes
 *	                                            mount_ipc()             /dev/shm, /dev/mqueue
 *	let_go() ─────────────────────────────────► wait_for_go()           whether its devices hold; the network joined
 *	                                            mounts_sys()            /sys of that network
 *	                                            root_enter()            nothing of the host is in reach
 *	                                            sysctl_set_usual()      then --sysctl's
 *	                                            cgroup_show()           /sys/fs/cgroup
 *	                                            binds_put_own()         /etc/hosts and its kind in place
 *	                                            binds_put_volumes()     -v's in place
 *	                                            find_user()             in the image's files
 *	                                            set_oom_score()
 *	                                            connect()               a session, a terminal or pipes
 *	                                            target_make()           the working directory
 *	                                            root_seal()             --read-only, nodev
 *	                                            mask()                  last of all mounts
 *	                                            rlimit_set()
 *	                                            keyring_leave()         where there is no filter
 *	                                            seccomp_install()
 *	                                            caps_bound()
 *	                                            user_become()           groups, user
 *	                                            caps_set()
 *	                                            become_init()           the init's exec; it executes the program
 *	supervise_start() ◄──────── FAILED through the go socket, which the exec closes; the init's STARTED, NOT_RUN
 *	state_share()             --ipc shareable
 *	supervise_wait()          signals passed on, the terminal's bytes moved, until init is gone
 *	supervise_reap()
 *	net_close()               rules, ports and the address given back
 *	container_destroy()       cgroup removed, then the name given back; all else has ended with its namespaces
 *
 * With --userns the child has a user namespace too, and what is above changes places: make_root_aside() makes the
 * overlay, which only the machine's root can, and sends it with "go"; the network is made by the child itself.
 *
 * Signals are passed on by three processes: front.c (who has the caller's terminal) to the supervisor, supervise.c to
 * the init, init/signals.c to the program. Before the program runs those that ask for an end end the start.
 *
 * The parent's death kills the child at every point (PR_SET_PDEATHSIG); the child's end, its namespaces.
 */
#include "launcher/container/container.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/container/carried.h"
#include "launcher/cgroup/cgroup.h"
#include "launcher/cgroup/usage.h"
#include "rootfs/base/descriptor.h"
#include "launcher/supervise/front.h"
#include "launcher/rights/ids.h"
#include "launcher/container/inside.h"
#include "launcher/mount/ipc.h"
#include "launcher/mount/target.h"
#include "launcher/net/net.h"
#include "launcher/mount/root.h"
#include "launcher/container/reason.h"
#include "launcher/container/report.h"
#include "launcher/supervise/signals.h"
#include "launcher/container/state.h"
#include "launcher/supervise/supervise.h"
#include "rootfs/base/sys.h"
#include "launcher/supervise/terminal.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* Milliseconds that a process which has been killed is waited for. */
enum { ENDING_MAX = 2000 };

/* Not pipes: those a container's root could open again, as /proc/1/fd/N, to write to them (proc(5)). */
static int open_sockets(struct container *container)
{
	int report[2], go[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) < 0)
		return fail("make a socket");
	container->report = report[0];
	container->inside.report = report[1];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, go) < 0)
		return fail("make a socket");
	container->inside.go = go[0];
	container->go_socket = go[1];
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(take_fd(fd));
}

/* After the clone: what only the child needs. */
static void close_inside(struct inside *inside)
{
	close_fd(&inside->report);
	close_fd(&inside->go);
	close_fd(&inside->init);
	close_fd(&inside->parent);
	ipc_close(&inside->ipc);
}

/*
 * docker-run(1): what -v names and the host lacks is made; here it is the container's own. Its process
 * could not: in the host's directories its ids have no rights.
 */
static int make_source(const struct mount *mount, const struct ids *ids)
{
	if (!mount->create || access(mount->source, F_OK) == 0 || errno != ENOENT)
		return 0;
	if (target_make(mount->source, true) < 0)
		return -1;
	if (chown(mount->source, ids->users.start, ids->groups.start) < 0)
		return fail("give %s to the container's root", mount->source);
	return 0;
}

/* --ipc container:NAME */
static int join_ipc(struct inside *inside, const struct spec *spec)
{
	uint32_t root;
	scoped_fd init = state_shared(spec->state, spec->ipc_container, &root);
	return init < 0 ? -1 : ipc_join(&inside->ipc, spec->ipc_container, init, root, spec->root.ids.users.start);
}

static int prepare(struct container *container, struct spec *spec)
{
	struct inside *inside = &container->inside;
	if (seccomp_prepare(&inside->seccomp, spec->process.seccomp, spec->process.caps) < 0)
		return -1;
	inside->init = carried_open(spec->process.init_path);
	if (inside->init < 0)
		return -1;
	inside->parent = sys_pidfd_open(getpid());
	if (inside->parent < 0)
		return fail("open wherry's own pidfd");
	/* On a file system that is gone this waits for ever: a signal still ends us, and nothing has been made yet. */
	for (size_t i = 0; spec_is_mapped(spec) && i < spec->mount_count; i++)
		if (make_source(&spec->mounts[i], &spec->root.ids) < 0)
			return -1;
	if (open_sockets(container) < 0 ||
	    state_create(&container->state, spec->state, spec->name, container_clean) < 0 ||
	    state_note(&container->state, "label", &spec->labels) < 0 ||
	    state_note(&container->state, "annotation", &spec->annotations) < 0 ||
	    net_open(&container->network, &spec->net, spec->state, spec->name) < 0)
		return -1;
	/* All that is the container's is then born there. */
	if (spec->ipc == IPC_CONTAINER && join_ipc(inside, spec) < 0)
		return -1;
	inside->cgroup = &container->cgroup;
	container->cgroup.front = container->front >= 0 ? getppid() : 0;
	return cgroup_create(&container->cgroup, spec->name, &spec->limits, &spec->devices);
}

static int explain_start(uint64_t flags)
{
	fail("start a process in namespaces of its own");
	/* EUSERS, ENOSPC, EINVAL, EPERM: all may mean that one */
	if (flags & CLONE_NEWUSER)
		return hint("--userns wants user namespaces: CONFIG_USER_NS, and see "
			    "user.max_user_namespaces in sysctl -a");
	return -1;
}

static int clone_child(struct container *container, const struct spec *spec)
{
	bool mapped = spec_is_mapped(spec);
	uint64_t flags = CLONE_NEWNS | (spec->host_pid ? 0 : CLONE_NEWPID) |
			 (spec->host_uts ? 0 : CLONE_NEWUTS) |
			 (!spec_has_own_ipc(spec) || mapped ? 0 : CLONE_NEWIPC) | (mapped ? CLONE_NEWUSER : 0);
	if (mapped && spec->net.kind == NETWORK_BRIDGE)
		flags |= CLONE_NEWNET; /* its own user namespace's */
	int cgroup = cgroup_unified(&container->cgroup);
	if (cgroup >= 0)
		flags |= CLONE_INTO_CGROUP;
	container->init = sys_clone3(flags, cgroup, &container->init_pidfd);
	if (container->init < 0) {
		container->init = 0;
		return explain_start(flags);
	}
	if (container->init == 0) {
		/* With these open, the parent's end would not show at the pipes. */
		close_fd(&container->report);
		close_fd(&container->go_socket);
		inside_run(&container->inside, spec);
	}
	close_inside(&container->inside);
	return 0;
}

/* What it is goes into the state, once others may come in. */
static int settle_network(struct container *container, const struct spec *spec)
{
	const struct net *net = &spec->net;
	bool others = net->kind == NETWORK_CONTAINER, mapped = spec_is_mapped(spec);
	scoped_fd other = others ? state_network(spec->state, net->of) : -1;
	if ((others && other < 0) || net_settle(&container->network, net, mapped ? container->init_pidfd : other) < 0)
		return -1;
	return state_note_network(&container->state, net);
}

/* The child waits: it has rights over nothing until its ids are mapped. */
static int make_root(struct container *container, const struct spec *spec, int held)
{
	scoped_fd userns = idmap_write(&spec->root.ids, container->init);
	if (userns < 0)
		return -1;
	for (size_t i = 0; i < spec->process.rlimit_count; i++)
		if (rlimit_allow(&spec->process.rlimits[i], container->init) < 0)
			return -1;
	scoped_fd tree = root_build(&spec->root, &spec->devices, userns);
	if (tree < 0)
		return -1;
	if (volumes_wait(container->volumes)) {
		scoped_fd root = openat(tree, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			return fail("open the container's root");
		if (volumes_fill(container->volumes, root, spec) < 0)
			return -1;
	}
	/* EPIPE: the child was killed, and its end says so */
	if (descriptor_send(container->go_socket, tree, held) < 0 && errno != EPIPE)
		return fail("let the container go on");
	return 0;
}

/* In a process of its own, which can be killed: what it copies may be large, or its file system slow. */
static int make_root_aside(struct container *container, const struct spec *spec, int held)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fail("make a socket");
	container->root_maker.socket = ends[0];
	container->root_maker.pid = fork();
	if (container->root_maker.pid == 0) {
		close(ends[0]);
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || make_root(container, spec, held) < 0)
			supervise_fail(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	return container->root_maker.pid < 0 ? fail("start a process that makes the container's root") : 0;
}

/* The child mounts meanwhile. A new network namespace takes the kernel half a millisecond. */
static int hold(struct container *container, const struct spec *spec)
{
	if (cgroup_hold_processors(&container->cgroup, &spec->limits) < 0)
		return -1;
	container->held = cgroup_hold_devices(&container->cgroup, &spec->devices);
	if (container->held < 0)
		return -1;
	/* One in a user namespace makes a network with loopback alone itself. */
	return !spec_is_mapped(spec) || spec->net.kind == NETWORK_BRIDGE ? settle_network(container, spec) : 0;
}

static int let_go(const struct container *container)
{
	char go = (char)container->held;
	/* EPIPE: the child has failed, and says why. */
	if (send(container->go_socket, &go, 1, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return fail("let the container go on");
	return 0;
}

/* Whether /proc counts processes as we do: it may belong to another PID namespace. */
static bool proc_is_ours(void)
{
	char self[16] = "";
	return readlink("/proc/self", self, sizeof(self) - 1) > 0 && strtol(self, NULL, 10) == getpid();
}

/* Where the kernel runs out of memory itself, the container's init goes last of what is in it. */
static void protect(pid_t init)
{
	char path[64];
	if (!proc_is_ours())
		return;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", init);
	scoped_fd file = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	if (file >= 0 && write(file, "-999", 4) < 0)
		return; /* EACCES: only with CAP_SYS_RESOURCE; EIO, ESRCH: it is gone */
}

static const char *size_text(int64_t bytes, char text[32])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB" };
	int unit = 0;
	while (unit < 3 && bytes >= 1024 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, 32, "%lld %s", (long long)bytes, units[unit]);
	return text;
}

/* Says so where a limit is the reason: 137 alone could be anybody's kill -9. */
static int ended(const struct container *container, const struct spec *spec, int status)
{
	char text[32];
	int64_t memory = spec->limits.value[LIMIT_MEMORY], pids = spec->limits.value[LIMIT_PIDS];
	if (status == 128 + SIGKILL && cgroup_usage(&container->cgroup, USAGE_OOM_KILLS) > 0) {
		if (memory)
			warn("out of memory: the container reached its limit of %s",
			     size_text(memory, text));
		else
			warn("out of memory: the machine has none left");
	} else if (status && pids > 0 && cgroup_usage(&container->cgroup, USAGE_PIDS_DENIED) > 0) {
		warn("out of processes: the container reached its limit of %lld", (long long)pids);
	}
	return status;
}

static int not_run(const struct spec *spec, int error, const struct reason *reason)
{
	bool missing = error == ENOENT || error == ENOTDIR;
	fail_status(missing ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE, "run %s: %s", spec->process.argv[0],
		    *reason->text ? reason->text : strerror(error));
	return *reason->hint ? hint("%s", reason->hint) : -1;
}

static int conclude(const struct container *container, const struct spec *spec,
		    const struct outcome *outcome)
{
	switch (outcome->kind) {
	case REPORT_NOT_RUN:
		return not_run(spec, outcome->value, &container->reason);
	case REPORT_EXITED:
		return ended(container, spec, outcome->value);
	case REPORT_KILLED:
	case REPORT_DUMPED:
		return ended(container, spec, 128 + outcome->value);
	default: /* PID 1 itself has ended: the program, or an init that could not say more */
		if (WIFEXITED(outcome->status))
			return WEXITSTATUS(outcome->status);
		if (!spec->process.no_init)
			warn("the container's init was killed by signal %d", WTERMSIG(outcome->status));
		return ended(container, spec, 128 + WTERMSIG(outcome->status));
	}
}

static int open_terminal(struct container *container, const struct spec *spec)
{
	struct terminal *terminal = &container->terminal;
	if (spec->process.terminal && terminal->master < 0)
		return failx("the container has handed out no terminal");
	return container->front >= 0 ? front_give(container->front, terminal->master)
				     : terminal_connect(terminal, spec->process.input);
}

/* Between the two the child waits for "go": its namespaces are there, and no program of the image has run. */
int container_create(struct container *container, struct spec *spec, const struct volumes *volumes, int front)
{
	*container = (struct container)CONTAINER_NONE;
	container->spec = spec;
	container->volumes = container->inside.volumes = volumes;
	container->front = front;
	if (prepare(container, spec) < 0 || clone_child(container, spec) < 0)
		return -1;
	return hold(container, spec);
}

static struct supervision supervision_of(struct container *container)
{
	const struct spec *spec = container->spec;
	return (struct supervision){
		container->init, container->init_pidfd, container->go_socket, container->report,
		&container->root_maker, &container->terminal,
		spec->process.input && !spec->process.terminal, &container->front, spec->name,
	};
}

/* The program runs, or could not be executed. */
static int follow_start(struct container *container, const struct spec *spec)
{
	enum report_kind kind = container->outcome.kind;
	if (kind == REPORT_NOT_RUN) {
		if (proc_is_ours())
			reason_find(&container->reason, spec, container->init, container->outcome.value);
		kill(container->init, SIGKILL); /* it waits for us to look */
	}
	bool runs = kind == (spec->process.no_init ? 0 : REPORT_STARTED);
	if (runs && open_terminal(container, spec) < 0)
		return -1;
	close_fd(&container->go_socket);
	/* Not earlier: until the program runs, its /dev/shm is the host's. */
	bool shared = spec->ipc == IPC_SHAREABLE || spec->ipc == IPC_CONTAINER;
	if (shared && runs && state_share(&container->state, container->init, spec->root.ids.users.start) < 0)
		return -1;
	if (kind == REPORT_STARTED)
		protect(container->init);
	return 0;
}

int container_start(struct container *container)
{
	const struct spec *spec = container->spec;
	struct supervision with = supervision_of(container);
	if ((spec_is_mapped(spec) ? make_root_aside(container, spec, container->held) : let_go(container)) < 0 ||
	    supervise_start(&with, &container->outcome) < 0)
		return -1;
	return follow_start(container, spec);
}

int container_wait(struct container *container)
{
	struct outcome *outcome = &container->outcome;
	struct supervision with = supervision_of(container);
	int r = supervise_wait(&with, outcome);
	if (state_unshare(&container->state) < 0 || (r == 0 && supervise_reap(&with, outcome) < 0))
		r = -1;
	front_end(&container->front);
	terminal_detach(&container->terminal);
	if (r < 0)
		return -1;
	container->init = 0;
	return conclude(container, container->spec, outcome);
}

/* A process that waits for a disk or a server in the kernel may take the signal never. Returns whether it has ended. */
static bool end_process(pid_t pid, int pidfd)
{
	struct pollfd end = { pidfd, POLLIN, 0 };
	kill(pid, SIGKILL);
	if (poll(&end, 1, ENDING_MAX) == 1) {
		waitpid(pid, NULL, 0);
		return true;
	}
	warn("process %d of the container doesn't end: it waits in the kernel, for a disk or a server", pid);
	return false;
}

void container_destroy(struct container *container)
{
	bool ended = true;
	if (container->root_maker.pid > 0) {
		scoped_fd pidfd = sys_pidfd_open(container->root_maker.pid);
		ended = end_process(container->root_maker.pid, pidfd);
	}
	if (container->init)
		ended &= end_process(container->init, container->init_pidfd);
	terminal_detach(&container->terminal);
	close_inside(&container->inside);
	close_fd(&container->init_pidfd);
	close_fd(&container->report);
	close_fd(&container->go_socket);
	close_fd(&container->root_maker.socket);
	close_fd(&container->front);
	net_close(&container->network);
	/* What stays is found by its name: the next command removes both. */
	if (ended && cgroup_destroy(&container->cgroup) == 0)
		state_destroy(&container->state);
}

int container_clean(const char *name)
{
	return cgroup_sweep(name);
}

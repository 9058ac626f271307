/*
 * The floor: what the kernel takes for a container, without a launcher. The same namespaces, mounts,
 * cgroups, files and capabilities as `wherry run -m 64M --cpus 1 --pids-limit 100`, each call written
 * down in its order, nothing looked up, parsed, checked against anything or reported. The seccomp
 * filter and the rules of devices are wherry's own.
 *
 *	floor STAGING INIT LOWER[:LOWER…] PROGRAM [ARG…]
 *
 * STAGING is an empty directory, INIT a wherry-init, LOWERs are absolute.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/spec/devices.h"
#include "launcher/seccomp/seccomp.h"

#define DO(call) \
	do { \
		if ((call) < 0) { \
			fprintf(stderr, "floor: line %d: %s: %s\n", __LINE__, #call, strerror(errno)); \
			_exit(125); \
		} \
	} while (0)

#define V1 "/sys/fs/cgroup/"
#define NAME "/wherry-floor"
#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

enum { OPEN_TREE = 428, MOVE_MOUNT = 429, TREE_CLONE = 1, TREE_RECURSIVE = 0x8000, EMPTY_FROM = 4 };

static int memory, cpu, pids, devices; /* cgroup directories; with v2 MEMORY alone */
static int unified;
static int trees[3];
static int report[2], go[2];

static void put(int dir, const char *name, const char *text)
{
	int file = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	DO(file);
	DO(write(file, text, strlen(text)));
	close(file);
}

static int make(const char *path)
{
	DO(mkdir(path, 0755));
	int dir = open(path, O_DIRECTORY | O_CLOEXEC);
	DO(dir);
	return dir;
}

static void hold_devices(int (*hold)(int, const struct devices *), int dir)
{
	struct devices rules;
	static const struct strings none;
	DO(devices_build(&rules, &none, &none));
	DO(hold(dir, &rules));
}

static void make_cgroups(void)
{
	unified = access(V1 "cgroup.controllers", F_OK) == 0;
	if (unified) {
		memory = make("/sys/fs/cgroup" NAME);
		put(memory, "memory.max", "67108864");
		put(memory, "cpu.max", "100000");
		put(memory, "pids.max", "100");
		return;
	}
	memory = make(V1 "memory" NAME);
	put(memory, "memory.limit_in_bytes", "67108864");
	if (faccessat(memory, "memory.memsw.limit_in_bytes", F_OK, 0) == 0)
		put(memory, "memory.memsw.limit_in_bytes", "134217728");
	cpu = make(V1 "cpu" NAME);
	put(cpu, "cpu.cfs_quota_us", "100000");
	pids = make(V1 "pids" NAME);
	put(pids, "pids.max", "100");
	devices = make(V1 "devices" NAME);
	hold_devices(devices_hold_v1, devices);
}

static void remove_cgroups(void)
{
	if (unified) {
		DO(rmdir("/sys/fs/cgroup" NAME));
		return;
	}
	DO(rmdir(V1 "memory" NAME));
	DO(rmdir(V1 "cpu" NAME));
	DO(rmdir(V1 "pids" NAME));
	DO(rmdir(V1 "devices" NAME));
}

static void join_cgroups(void)
{
	if (!unified) {
		put(memory, "tasks", "0");
		put(cpu, "tasks", "0");
		put(pids, "tasks", "0");
		put(devices, "tasks", "0");
	}
	DO(unshare(CLONE_NEWCGROUP));
}

static void make_network(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	DO(unshare(CLONE_NEWNET));
	int lo = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	DO(ioctl(lo, SIOCSIFFLAGS, &request));
	close(lo);
}

static void take_file(int n, const char *name, const char *text)
{
	put(AT_FDCWD, name, text);
	DO(trees[n] = (int)syscall(OPEN_TREE, AT_FDCWD, name, TREE_CLONE | O_CLOEXEC | TREE_RECURSIVE));
}

static void put_file(int n, const char *path)
{
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	DO(syscall(MOVE_MOUNT, trees[n], "", AT_FDCWD, path, EMPTY_FROM));
	close(trees[n]);
}

static void make_root(const char *staging, const char *lowers)
{
	char options[4096];
	DO(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	DO(mount("floor", staging, "tmpfs", MS_NOSUID, "mode=700,size=33554432"));
	DO(chdir(staging));
	DO(mkdir("root", 0755));
	DO(mkdir("work", 0700));
	DO(mkdir("upper", 0755));
	snprintf(options, sizeof(options), "upperdir=upper,workdir=work,lowerdir=%s", lowers);
	DO(mount("overlay", "root", "overlay", 0, options));
	take_file(0, "hosts", "127.0.0.1\tlocalhost floor\n");
	take_file(1, "hostname", "floor\n");
	take_file(2, "resolv.conf", "\n");
	DO(chdir("root"));
	DO(syscall(SYS_pivot_root, ".", "."));
	DO(umount2(".", MNT_DETACH));
	DO(chdir("/"));
}

static void make_dev(void)
{
	static const struct {
		const char *path;
		int major, minor;
	} nodes[] = { { "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
		      { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 } };
	DO(mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=755,size=64k"));
	DO(mkdir("/dev/pts", 0755));
	DO(mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		 "newinstance,ptmxmode=666,mode=620,gid=5"));
	DO(mkdir("/dev/shm", 0755));
	DO(mount("tmpfs", "/dev/shm", "tmpfs", SAFE, "mode=1777,size=64m"));
	DO(mkdir("/dev/mqueue", 0755));
	DO(mount("mqueue", "/dev/mqueue", "mqueue", SAFE, NULL));
	for (int i = 0; i < 6; i++)
		DO(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
	DO(symlink("/proc/self/fd", "/dev/fd"));
	DO(symlink("/proc/self/fd/0", "/dev/stdin"));
	DO(symlink("/proc/self/fd/1", "/dev/stdout"));
	DO(symlink("/proc/self/fd/2", "/dev/stderr"));
	DO(symlink("pts/ptmx", "/dev/ptmx"));
}

static void make_sys(void)
{
	DO(mount("sysfs", "/sys", "sysfs", MS_RDONLY | SAFE, NULL));
	if (unified) {
		DO(mount("cgroup2", "/sys/fs/cgroup", "cgroup2", MS_RDONLY | SAFE, NULL));
		return;
	}
	DO(mount("tmpfs", "/sys/fs/cgroup", "tmpfs", SAFE, "mode=755,size=16k"));
	DO(mkdir(V1 "memory", 0755));
	DO(mount("cgroup", V1 "memory", "cgroup", MS_RDONLY | SAFE, "memory"));
	DO(mkdir(V1 "cpu", 0755));
	DO(mount("cgroup", V1 "cpu", "cgroup", MS_RDONLY | SAFE, "cpu"));
	DO(mkdir(V1 "pids", 0755));
	DO(mount("cgroup", V1 "pids", "cgroup", MS_RDONLY | SAFE, "pids"));
	DO(mount(NULL, "/sys/fs/cgroup", NULL, MS_REMOUNT | MS_RDONLY | SAFE, "mode=755,size=16k"));
}

/* Which of them there are is the kernel's own affair: a missing one costs a failed call. */
static void mask(void)
{
	static const char *const hidden[] = {
		"/proc/acpi",       "/proc/asound",      "/proc/interrupts", "/proc/kcore",
		"/proc/keys",       "/proc/latency_stats", "/proc/scsi",     "/proc/sched_debug",
		"/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
		"/sys/firmware",
	};
	static const char *const sealed[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
					      "/proc/sysrq-trigger" };
	for (int i = 0; i < 12; i++)
		if (mount("/dev/null", hidden[i], NULL, MS_BIND, NULL) < 0 && errno == ENOTDIR)
			DO(mount("tmpfs", hidden[i], "tmpfs", MS_RDONLY | SAFE, "size=0"));
	for (int i = 0; i < 5; i++)
		if (mount(sealed[i], sealed[i], NULL, MS_BIND | MS_REC, NULL) == 0)
			DO(mount(NULL, sealed[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | SAFE, NULL));
}

static void drop_capabilities(void)
{
	const uint32_t keep = 0xa80425fb; /* moby's defaults */
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { keep, keep, 0 }, { 0, 0, 0 } };
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap > 31 || !(keep >> cap & 1))
			DO(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
	DO(syscall(SYS_setgroups, 0, NULL));
	DO(syscall(SYS_setgid, 0));
	DO(syscall(SYS_setuid, 0));
	DO(syscall(SYS_capset, &header, data));
}

static void write_to(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	DO(file);
	DO(write(file, text, strlen(text)));
	DO(close(file));
}

static void inside(char **argv, int init, int parent, const struct seccomp *filter)
{
	char byte, text[16];
	char *init_argv[16] = { "wherry-init", "--report-fd", text, "--" };
	char *env[] = { "PATH=/bin", "HOME=/root", "HOSTNAME=floor", NULL };
	DO(prctl(PR_SET_PDEATHSIG, SIGKILL));
	join_cgroups();
	DO(sethostname("floor", 5));
	make_root(argv[1], argv[3]);
	umask(0);
	DO(mount("proc", "/proc", "proc", SAFE, NULL));
	make_dev();
	umask(022);
	DO(read(go[0], &byte, 1));
	DO(setns(parent, CLONE_NEWNET));
	make_sys();
	write_to("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
	write_to("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
	mask();
	put_file(0, "/etc/hosts");
	put_file(1, "/etc/hostname");
	put_file(2, "/etc/resolv.conf");
	setsid();
	DO(dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0));
	DO(seccomp_install(filter));
	drop_capabilities();
	DO(fcntl(report[1], F_SETFD, 0));
	snprintf(text, sizeof(text), "%d", report[1]);
	for (int i = 0; i < 11 && argv[4 + i]; i++)
		init_argv[4 + i] = argv[4 + i];
	DO(syscall(SYS_execveat, init, "", init_argv, env, AT_EMPTY_PATH));
}

int main(int argc, char **argv)
{
	char record[8];
	int status;
	if (argc < 5)
		return 125;
	int init = open(argv[2], O_PATH | O_CLOEXEC);
	int parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct seccomp filter;
	DO(seccomp_prepare(&filter, NULL, 0));
	DO(pipe2(report, O_CLOEXEC));
	DO(pipe2(go, O_CLOEXEC));
	make_cgroups();
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC |
			 (unified ? CLONE_INTO_CGROUP : 0),
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)memory,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	DO(pid);
	if (!pid)
		inside(argv, init, parent, &filter);
	close(report[1]);
	if (unified)
		hold_devices(devices_hold_v2, memory);
	make_network();
	DO(write(go[1], "", 1));
	while (read(report[0], record, sizeof(record)) > 0)
		;
	DO(waitpid(pid, &status, 0));
	remove_cgroups();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

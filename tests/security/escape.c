/*
 * What a hostile program would try from inside a container, one kind of attempt a verb. Each attempt
 * prints "held NAME: why" or "GOT NAME"; with full rights all of them are got, and harmless.
 *
 *	escape calls | mounts | opens | reads | users | exe | write FILE | devices TYPE:MAJOR:MINOR… |
 *	       handle HANDLE | terminal | agents | trace PID… | key
 *	escape descriptors	of this process and of init, as "PID NUMBER TARGET"
 *	escape forge		writes nonsense where init tells the launcher how the program ended
 *	escape --report-fd N … failed-first | failed | number | flood	tells it as an init could, itself
 *	escape handle-of PATH	prints the HANDLE
 *	escape with-key COMMAND…	runs it with a key in its session's keyring, for `key`
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_refusal(int error)
{
	return error == EPERM || error == EACCES || error == EROFS || error == ENOSYS || error == ENOENT ||
	       error == ENOKEY;
}

/* RESULT is a system call's. Another error than a refusal means that it came through to the work. */
static void attempt(const char *name, long result)
{
	int error = errno;
	if (result < 0 && is_refusal(error))
		printf("held %s: %s\n", name, strerror(error));
	else
		printf("GOT %s\n", name);
	fflush(stdout);
}

/* Arguments with which nothing happens, whoever asks. */
static void try_calls(void)
{
	void *bad = (void *)1;
	attempt("bpf", syscall(SYS_bpf, -1, NULL, 0));
	attempt("keyctl", syscall(SYS_keyctl, 0, -3, 0, 0, 0));
	attempt("add_key", syscall(SYS_add_key, bad, bad, bad, 0, 0));
	attempt("request_key", syscall(SYS_request_key, bad, bad, bad, 0));
	attempt("perf_event_open", syscall(SYS_perf_event_open, bad, 0, 0, 0, 0));
	attempt("init_module", syscall(SYS_init_module, NULL, 0, bad));
	attempt("finit_module", syscall(SYS_finit_module, -1, bad, 0));
	attempt("delete_module", syscall(SYS_delete_module, bad, 0));
	attempt("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
	attempt("swapon", syscall(SYS_swapon, bad, 0));
	attempt("swapoff", syscall(SYS_swapoff, bad));
	attempt("acct", syscall(SYS_acct, bad));
	attempt("clock_settime", syscall(SYS_clock_settime, 0, bad));
	attempt("sethostname", syscall(SYS_sethostname, bad, 1));
	attempt("setns", syscall(SYS_setns, -1, 0));
	attempt("quotactl", syscall(SYS_quotactl, 0x80000100, bad, 0, NULL)); /* Q_SYNC of a path */
	attempt("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, bad, 0));
	attempt("userfaultfd", syscall(SYS_userfaultfd, 0));
}

static void try_mounts(void)
{
	attempt("mount tmpfs", mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
	attempt("mount cgroup", mount("cgroup2", "/tmp", "cgroup2", 0, NULL));
	attempt("mount proc", mount("proc", "/tmp", "proc", 0, NULL));
	attempt("bind", mount("/", "/tmp", NULL, MS_BIND, NULL));
	attempt("remount /sys", mount(NULL, "/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
	attempt("remount /proc/sys", mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
	attempt("unmount /etc/hosts", umount2("/etc/hosts", MNT_DETACH));
	attempt("move", mount("/dev/shm", "/tmp", NULL, MS_MOVE, NULL));
	attempt("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
	attempt("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */));
	attempt("unshare", unshare(CLONE_NEWNS));
	attempt("pivot_root", syscall(SYS_pivot_root, "/tmp", "/tmp"));
}

/* Opened only: what is written there reaches the whole machine. */
static void try_opens(void)
{
	static const char *const paths[] = {
		"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/panic_on_oom",
		"/proc/sysrq-trigger", "/proc/irq/default_smp_affinity",
		"/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/uevent_seqnum/../profiling",
	};
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (access(paths[i], F_OK) == 0)
			attempt(paths[i], open(paths[i], O_WRONLY));
}

/* What docker masks: it can be opened, and there is nothing in it. */
static void try_reads(void)
{
	static const char *const paths[] = {
		"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/interrupts", "/proc/sched_debug",
	};
	char byte;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		int file = open(paths[i], O_RDONLY);
		if (file < 0)
			continue;
		errno = ENOENT;
		attempt(paths[i], read(file, &byte, 1) == 1 ? 0 : -1);
	}
}

static long clone_into(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		_exit(0);
	int error = errno;
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	errno = error;
	return pid;
}

static long clone3_into(uint64_t flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(0);
	return pid;
}

/* In a user namespace everybody is root, and more of the kernel can be reached. */
static void try_users(void)
{
	attempt("clone", clone_into(CLONE_NEWUSER));
	attempt("clone3", clone3_into(CLONE_NEWUSER));
	attempt("unshare", unshare(CLONE_NEWUSER));
}

/*
 * Through a link of /proc, and by a descriptor that it was opened with for reading. ETXTBSY is a refusal
 * too as long as the program runs; what holds beyond that, try_exe() finds.
 */
static void try_file(const char *path)
{
	char again[64];
	int file = open(path, O_RDONLY);
	snprintf(again, sizeof(again), "/proc/self/fd/%d", file);
	const char *const ways[] = { path, again };
	for (int way = 0; way < 2; way++) {
		int writable = open(ways[way], O_WRONLY);
		long written = writable < 0 ? -1 : write(writable, "x", 1);
		errno = errno == ETXTBSY ? EPERM : errno;
		attempt("write", written);
		long cut = truncate(ways[way], 0);
		errno = errno == ETXTBSY ? EPERM : errno;
		attempt("truncate", cut);
	}
}

/* The init is a file of nobody's, which cannot be changed any more: memfd_create(2), F_ADD_SEALS. */
static void try_exe(void)
{
	int file = open("/proc/1/exe", O_RDONLY);
	long seals = fcntl(file, F_GET_SEALS), all = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	errno = EPERM;
	attempt("unsealed /proc/1/exe", (seals & all) == all && seals > 0 ? -1 : 0);
	struct stat stat;
	if (fstat(file, &stat) == 0)
		printf("exe %u:%u %llu\n", major(stat.st_dev), minor(stat.st_dev),
		       (unsigned long long)stat.st_ino);
}

static void try_devices(char **names)
{
	for (; *names; names++) {
		unsigned major_, minor_;
		char byte, path[] = "/tmp/device";
		if (sscanf(names[0], "%*c:%u:%u", &major_, &minor_) != 2)
			exit(2);
		unlink(path);
		long made = mknod(path, (names[0][0] == 'b' ? S_IFBLK : S_IFCHR) | 0600,
				  makedev(major_, minor_));
		int file = made < 0 ? -1 : open(path, O_RDONLY | O_NONBLOCK);
		attempt(names[0], file < 0 ? -1 : read(file, &byte, 1));
	}
}

struct handle {
	unsigned size;
	int type;
	unsigned char bytes[128];
};

static int print_handle(const char *path)
{
	struct handle handle = { .size = sizeof(handle.bytes) };
	int id;
	if (syscall(SYS_name_to_handle_at, AT_FDCWD, path, &handle, &id, 0) < 0) {
		perror(path);
		return 1;
	}
	printf("%d:", handle.type);
	for (unsigned i = 0; i < handle.size; i++)
		printf("%02x", handle.bytes[i]);
	printf("\n");
	return 0;
}

/* What lies beside the volume /volume on its file system, by a number that can be guessed. */
static void try_handle(const char *text)
{
	struct handle handle = { .size = 0 };
	int skip = 0;
	unsigned byte;
	sscanf(text, "%d:%n", &handle.type, &skip);
	for (text += skip; sscanf(text, "%2x", &byte) == 1; text += 2)
		handle.bytes[handle.size++] = (unsigned char)byte;
	int volume = open("/volume", O_RDONLY | O_DIRECTORY);
	attempt("open_by_handle_at", syscall(SYS_open_by_handle_at, volume, &handle, O_RDONLY));
}

/* Every way to another process's memory and descriptors. */
static void try_trace(char **pids)
{
	for (; *pids; pids++) {
		char path[64], byte;
		pid_t pid = atoi(*pids);
		struct iovec here = { &byte, 1 }, there = { (void *)0x400000, 1 };
		attempt("ptrace", ptrace(PTRACE_SEIZE, pid, 0, 0));
		snprintf(path, sizeof(path), "/proc/%d/mem", pid);
		attempt("mem", open(path, O_RDWR));
		snprintf(path, sizeof(path), "/proc/%d/environ", pid);
		int file = open(path, O_RDONLY);
		attempt("environ", file < 0 ? -1 : read(file, &byte, 1));
		snprintf(path, sizeof(path), "/proc/%d/root/", pid);
		attempt("root", open(path, O_RDONLY));
		snprintf(path, sizeof(path), "/proc/%d/exe", pid);
		attempt("exe", open(path, O_RDONLY));
		attempt("process_vm_readv", syscall(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0));
		int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		attempt("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 0, 0));
		attempt("setns", syscall(SYS_setns, pidfd, CLONE_NEWNS | CLONE_NEWPID));
	}
}

/* What is written there is what it says: root of the machine would run it when a cgroup empties (cgroups(7)). */
static void try_agent(const char *name, const char *path)
{
	char text[256];
	int file = open(path, O_RDWR);
	long n = file < 0 ? -1 : read(file, text, sizeof(text));
	attempt(name, n < 0 ? -1 : write(file, n ? text : "\n", n ? (size_t)n : 1));
}

/* Of each hierarchy of cgroup v1, as it is shown and as it could be mounted. */
static void try_agents(void)
{
	char line[128], name[64], path[128];
	FILE *list = fopen("/proc/cgroups", "r");
	while (list && fgets(line, sizeof(line), list)) {
		int hierarchy;
		if (sscanf(line, "%63s %d", name, &hierarchy) != 2 || !hierarchy)
			continue;
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/release_agent", name);
		try_agent("shown release_agent", path);
		mkdir("/tmp/agent", 0700);
		if (mount("cgroup", "/tmp/agent", "cgroup", 0, name) < 0) {
			attempt("mounted release_agent", -1);
			continue;
		}
		try_agent("mounted release_agent", "/tmp/agent/release_agent");
		umount2("/tmp/agent", MNT_DETACH);
	}
}

/* Whether PATH leads to a terminal, which may then be read, and typed into. */
static void try_open_terminal(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	int is_terminal = fd >= 0 && isatty(fd);
	errno = EPERM;
	attempt(path, is_terminal ? 0 : -1);
	if (is_terminal)
		attempt("TIOCSTI", ioctl(fd, TIOCSTI, "x"));
	if (fd >= 0)
		close(fd);
}

/* The caller's terminal: what is typed there is read by nobody else, and nothing is typed for its shell. */
static void try_terminal(void)
{
	char path[32];
	for (int fd = 0; fd < 3; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		try_open_terminal(path);
		snprintf(path, sizeof(path), "/proc/1/fd/%d", fd);
		try_open_terminal(path);
	}
	try_open_terminal("/dev/tty");
	if (fork() == 0) {
		setsid();
		for (int fd = 0; fd < 3; fd++)
			if (isatty(fd))
				attempt("TIOCSCTTY", ioctl(fd, TIOCSCTTY, 1));
		_exit(0);
	}
	wait(NULL);
}

static int list_descriptors(const char *pid)
{
	char path[64], target[256];
	for (int fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/%s/fd/%d", pid, fd);
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		if (n >= 0)
			printf("%s %d %.*s\n", pid, fd, (int)n, target);
	}
	return 0;
}

static void forge_through(const char *path)
{
	char nonsense[512];
	memset(nonsense, 0xa5, sizeof(nonsense));
	int pipe = open(path, O_WRONLY | O_NONBLOCK);
	bool refused = pipe < 0 && errno == ENXIO; /* a socket: open(2) */
	if (refused)
		errno = EPERM;
	attempt(path, pipe);
	for (size_t size = 1; pipe >= 0 && size <= sizeof(nonsense); size++)
		if (write(pipe, nonsense, size) < 0)
			break;
}

/* "own": a pipe of ours, which shows that the attempt would do. */
static void forge(void)
{
	char path[64];
	int own[2];
	for (int fd = 3; fd < 64; fd++) {
		snprintf(path, sizeof(path), "/proc/1/fd/%d", fd);
		if (readlink(path, (char[8]){ 0 }, 8) > 0 || errno == EACCES)
			forge_through(path);
	}
	if (pipe(own) == 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", own[1]);
		forge_through(path);
	}
}

/*
 * As an init, that of --init-path: says what none says, through the socket that it has been given. What, is the last
 * word: it stands where the program's arguments do.
 */
static int be_init(int argc, char **argv)
{
	const char *what = argv[argc - 1];
	struct {
		uint32_t kind;
		int32_t value;
		int status;
		char text[1024], hint[512];
	} record = { .kind = 3, .status = 77, .text = "\033[31mforged", .hint = "\033[31mforged" };
	int to = -1;
	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], "--report-fd"))
			to = atoi(argv[i + 1]);
	if (!strcmp(what, "failed-first"))
		record.kind = 1;
	if (write(to, &record, record.kind == 1 ? sizeof(record) : 8) < 0)
		return 9;
	record.kind = !strcmp(what, "failed") ? 1 : !strcmp(what, "flood") ? 4 : 5;
	record.value = !strcmp(what, "number") ? 1 << 30 : 19;
	signal(SIGPIPE, SIG_IGN);
	/* EPIPE, where nobody listens any more: what was said first was enough */
	if (record.kind != 4)
		return write(to, &record, record.kind == 1 ? sizeof(record) : 8) < 0 && errno != EPIPE ? 9 : 43;
	/* bounded, lest the test should never end */
	for (int n = 0; n < 1 << 20; n++)
		if (write(to, &record, 8) < 0)
			return 44;
	return 43;
}

static const char key[] = "wherry-escape";

static void try_key(void)
{
	attempt("key", syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", key, 0));
}

static int run_with_key(char **argv)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_add_key, "user", key, "secret", 6, KEY_SPEC_SESSION_KEYRING) < 0)
		return 1;
	execv(argv[0], argv);
	return 1;
}

/* For a launch with as few calls as can be. */
static void nothing(void)
{
}

static const struct {
	const char *name;
	void (*try)(void);
} verbs[] = {
	{ "calls", try_calls }, { "mounts", try_mounts }, { "opens", try_opens }, { "reads", try_reads },
	{ "users", try_users }, { "exe", try_exe }, { "terminal", try_terminal }, { "forge", forge },
	{ "agents", try_agents }, { "nothing", nothing }, { "key", try_key },
};

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	if (!strcmp(verb, "--report-fd"))
		return be_init(argc, argv);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(verb, verbs[i].name))
			return verbs[i].try(), 0;
	if (!strcmp(verb, "write") && argc == 3)
		try_file(argv[2]);
	else if (!strcmp(verb, "devices"))
		try_devices(argv + 2);
	else if (!strcmp(verb, "trace"))
		try_trace(argv + 2);
	else if (!strcmp(verb, "handle") && argc == 3)
		try_handle(argv[2]);
	else if (!strcmp(verb, "handle-of") && argc == 3)
		return print_handle(argv[2]);
	else if (!strcmp(verb, "with-key") && argc > 2)
		return run_with_key(argv + 2);
	else if (!strcmp(verb, "descriptors"))
		return list_descriptors("self") || list_descriptors("1");
	else
		return 2;
	return 0;
}

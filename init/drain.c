/*
 * The end of everything but the program: TERM, and KILL when the grace is over.
 *
 * PID 1 may signal all processes of its namespace at once (kill(2), -1). In every other
 * case /proc is walked: to leave out the program, which has been sent the stop signal,
 * and, as a subreaper, everything on the host that doesn't descend from us.
 */
#include "init/init.h"

/* Milliseconds. KILL needs a moment, but what the kernel holds must not hold us for ever. */
enum { KILL_AGAIN = 100, GIVE_UP = 5000, LOOK_AGAIN = 20 };

static struct {
	long long kill_at;    /* 0: not draining */
	long long give_up_at; /* 0: not killing */
	bool told, over;      /* what the program has left; no longer to be waited for */
	bool strangers;       /* only processes are left that have other parents */
} drain;

struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
}; /* as getdents64(2) has it */

/* Whether what is left is ours to signal and to wait for. */
static bool rules(void)
{
	return is_pid1 || opt.subreaper;
}

/* -1 where the process is gone. */
static int parent_of(unsigned pid)
{
	char path[32], stat[160], *end = path + sizeof(path) - 1;
	const char *at;
	int fd;
	long size;

	*append(append_number(append(path, end, "/proc/"), end, pid), end, "/stat") = 0;
	fd = sys_open(path, O_RDONLY);
	size = sys_read(fd, stat, sizeof(stat) - 1);
	sys_close(fd);
	/* "PID (NAME) S PPID ...": NAME may hold anything, but is short (proc(5)) */
	for (at = stat + size - 4; at > stat; at--)
		if (*at == ')') {
			at += 4;
			return read_number(&at);
		}
	return -1;
}

static bool descends(int pid, int self)
{
	do
		pid = parent_of(pid);
	while (pid > 1 && pid != self);
	return pid == self;
}

/* The descriptor makes sure that it is the same process before and after the look at it. */
static void signal_descendant(int pid, int self, int sig)
{
	int fd = syscall2(__NR_pidfd_open, pid, 0);

	if (fd >= 0 && descends(pid, self)) {
		syscall4(__NR_pidfd_send_signal, fd, sig, 0, 0);
		syscall4(__NR_pidfd_send_signal, fd, SIGCONT, 0, 0);
	}
	sys_close(fd);
}

/* Stopped, it could not act on it. */
void end_process(int pid, int sig)
{
	sys_kill(pid, sig);
	sys_kill(pid, SIGCONT);
}

static void signal_entry(const char *name, int self, int sig)
{
	int pid = read_number(&name);

	if (pid < 0 || *name || pid == self || (pid == program.pid && sig != SIGKILL))
		return;
	if (is_pid1)
		end_process(pid, sig);
	else
		signal_descendant(pid, self, sig);
}

/* A /proc that belongs to another PID namespace has other numbers. */
static bool proc_is_ours(int self)
{
	char link[16];
	const char *at = link;
	long size = syscall4(__NR_readlinkat, AT_FDCWD, (long)"/proc/self", (long)link,
			     sizeof(link) - 1);

	if (size < 0)
		return false;
	link[size] = 0;
	return read_number(&at) == self;
}

static void walk(int sig)
{
	_Alignas(8) char buffer[1024];
	int self = sys_getpid(), dir;
	long size;

	if (!proc_is_ours(self))
		return;
	dir = sys_open("/proc", O_RDONLY | O_DIRECTORY);
	while ((size = syscall3(__NR_getdents64, dir, (long)buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + size; at += ((struct entry *)at)->size)
			signal_entry(((struct entry *)at)->name, self, sig);
	sys_close(dir);
}

static void signal_all(int sig)
{
	if (!rules()) {
		if (program.pid && sig == SIGKILL)
			sys_kill(opt.group ? -program.pid : program.pid, sig);
	} else if (is_pid1 && (sig == SIGKILL || !program.pid)) {
		end_process(-1, sig);
	} else {
		walk(sig);
	}
}

void drain_begin(void)
{
	if (!drain.kill_at || !opt.grace)
		drain.kill_at = now() + opt.grace;
	if (opt.grace)
		signal_all(SIGTERM);
}

bool drain_over(bool children)
{
	if (program.pid)
		return drain.over;
	if (drain.over || !rules())
		return true;
	/* who has entered the namespace from outside is no child of ours (setns(2)) */
	drain.strangers = !children && is_pid1 && !is_machine && sys_kill(-1, 0) == 0;
	if (!children && !drain.strangers)
		return true;
	if (!drain.told) {
		drain.told = true;
		drain_begin();
	}
	return false;
}

int drain_due(void)
{
	long long left;

	if (!drain.kill_at)
		return -1;
	left = drain.kill_at - now();
	if (left < 0)
		return 0;
	return drain.strangers && left > LOOK_AGAIN ? LOOK_AGAIN : left;
}

/* When PID 1 of a container ends, the kernel kills the rest and waits for it. */
void drain_step(void)
{
	long long time;

	if (!drain.kill_at || (time = now()) < drain.kill_at)
		return;
	if (!drain.give_up_at)
		drain.give_up_at = time + GIVE_UP;
	drain.over = time > drain.give_up_at || (is_pid1 && !is_machine && !program.pid);
	drain.kill_at = time + KILL_AGAIN;
	if (!drain.over)
		signal_all(SIGKILL);
	else if (program.pid)
		program.status = 128 + SIGKILL;
}

bool drain_is_killing(void)
{
	return drain.give_up_at != 0;
}

void drain_reset(void)
{
	drain = (typeof(drain)){ 0 };
}

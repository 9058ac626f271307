/*
 * The machine's first process. Nothing in here returns to a caller that could exit: PID 1
 * of the machine must not (the kernel panics), so every failure ends in machine_down().
 */
#include "init/machine.h"

#include <linux/reboot.h>

/* The initial PID namespace's inode (PROC_PID_INIT_INO in the kernel's proc_ns.h). */
#define INITIAL_PID_NAMESPACE 0xEFFFFFFCU
enum { CAD_TWICE = 2000, GRACE = 3000 };

static enum action wanted;
static long long last_cad;

/*
 * In any other PID namespace CAD_OFF is EINVAL, and without CAP_SYS_BOOT EPERM (reboot(2)):
 * it needs no /proc, and a container with all privileges cannot pass. /proc, if it is
 * there, must agree.
 */
bool machine_is_ours(void)
{
	struct statx stat;

	if (syscall3(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		     LINUX_REBOOT_CMD_CAD_OFF) < 0)
		return false;
	return syscall5(__NR_statx, AT_FDCWD, (long)"/proc/self/ns/pid", 0, STATX_INO,
			(long)&stat) < 0 || stat.stx_ino == INITIAL_PID_NAMESPACE;
}

void machine_start(void)
{
	opt.grace = GRACE;
	mounts_make();
	console_find();
}

/* A program that ends at once is not started more than once a second. */
_Noreturn void machine_run(void)
{
	int status;

	modules_load(opt.modules);
	watchdog_open(opt.watchdog);
	wanted = opt.on_exit;
	do {
		drain_reset();
		status = run();
		if (wanted == RESPAWN)
			machine_pause(1000);
	} while (wanted == RESPAWN);
	machine_down(status, wanted);
}

/* Ctrl-Alt-Del, and what busybox's halt, poweroff and reboot send. */
static bool is_order(int sig, enum action *action)
{
	static const uint8_t orders[][2] = {
		{ SIGINT, REBOOT }, { SIGTERM, REBOOT }, { SIGUSR2, POWEROFF },
		{ SIGUSR1, HALT }, { SIGPWR, HALT },
	};

	for (unsigned i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		if (orders[i][0] == sig) {
			*action = orders[i][1];
			return true;
		}
	return false;
}

bool machine_handle(int sig)
{
	if (!is_order(sig, &wanted))
		return false;
	if (sig == SIGINT) {
		long long time = now();

		if (last_cad && time - last_cad < CAD_TWICE)
			machine_reboot(REBOOT);
		last_cad = time;
	}
	if (program.pid && !drain_is_killing()) {
		end_process(program.pid, opt.stop_signal);
		drain_begin();
	}
	return true;
}

void machine_pause(int ms)
{
	siginfo_t info;

	if (signals_next(SIGBIT(SIGINT), &info, ms) > 0)
		machine_handle(SIGINT);
}

long read_file(const char *path, char *text, long size)
{
	int fd = sys_open(path, O_RDONLY);
	long sum = 0, got;

	if (fd < 0)
		return fd;
	while ((got = sys_read(fd, text + sum, size - 1 - sum)) > 0)
		sum += got;
	sys_close(fd);
	text[sum] = 0;
	return sum < size - 1 ? sum : -E2BIG;
}

/* A child does it: where the kernel has no way to power off, it ends who has called. */
_Noreturn void machine_reboot(enum action action)
{
	static const unsigned commands[] = {
		LINUX_REBOOT_CMD_POWER_OFF, LINUX_REBOOT_CMD_RESTART, LINUX_REBOOT_CMD_HALT,
	};

	if (sys_vfork() == 0) {
		syscall3(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, commands[action]);
		sys_exit(0);
	}
	for (;;)
		machine_pause(-1);
}

_Noreturn void machine_down(int status, enum action action)
{
	syscall1(__NR_sync, 0);
	mounts_undo();
	syscall1(__NR_sync, 0);
	exit_tell(status);
	if (action != REBOOT)
		watchdog_close();
	machine_reboot(action);
}

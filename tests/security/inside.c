/*
 * What a program can see of its isolation, from inside; "KEY VALUE" on each line.
 *
 *	inside		prints it: capabilities, seccomp, paths, devices, namespaces, mounts, descriptors
 *	inside calls	makes every system call, and prints "call NUMBER refused", "unknown" or "made"
 *	inside verify	exits with 99, and says why, where it is weaker than a default container's
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* In the order of their numbers, linux/capability.h. */
static const char *const capabilities[] = {
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
	"setpcap", "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw",
	"ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct",
	"sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod",
	"lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
	"wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
};

/* Docker's default, with and without CAP_MKNOD. */
static const uint64_t capabilities_default = 0xa80425fb;

/* Docker's masked and read-only paths, and what it leaves out only because they are absent. */
static const char *const paths[] = {
	"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
	"/sys/devices/virtual/powercap", "/sys/firmware",
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys/kernel", "/proc/sysrq-trigger",
	"/sys/kernel", "/sys/fs/cgroup",
};

/* The number behind NAME in /proc/self/status, or -1. */
static long long status_field(const char *name, int base)
{
	char line[256];
	long long value = -1;
	FILE *file = fopen("/proc/self/status", "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			value = (long long)strtoull(line + strlen(name) + 1, NULL, base);
	if (file)
		fclose(file);
	return value;
}

static void print_capabilities(const char *name)
{
	uint64_t set = (uint64_t)status_field(name, 16);
	printf("%s", name);
	for (size_t i = 0; i < COUNT(capabilities); i++)
		if (set & 1ULL << i)
			printf(" %s", capabilities[i]);
	printf("%s\n", set ? "" : " -");
}

static bool has_entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;
	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count > 2;
}

/* How far PATH opens. */
static const char *access_of(const char *path)
{
	struct stat stat_;
	struct statvfs file_system;
	char byte;
	if (stat(path, &stat_) < 0)
		return "absent";
	bool sealed = statvfs(path, &file_system) == 0 && file_system.f_flag & ST_RDONLY;
	if (S_ISDIR(stat_.st_mode))
		return !has_entries(path) ? "empty" : sealed ? "readable" : "writable";
	if (S_ISCHR(stat_.st_mode))
		return "empty"; /* a device in the place of a file of /proc */
	if (!sealed && access(path, W_OK) == 0)
		return "writable";
	int file = open(path, O_RDONLY | O_CLOEXEC);
	bool filled = file >= 0 && read(file, &byte, 1) == 1;
	if (file >= 0)
		close(file);
	return filled ? "readable" : "empty";
}

static void print_devices(void)
{
	struct dirent *entry;
	struct stat stat_;
	DIR *dir = opendir("/dev");
	while (dir && (entry = readdir(dir)))
		if (fstatat(dirfd(dir), entry->d_name, &stat_, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (S_ISCHR(stat_.st_mode) || S_ISBLK(stat_.st_mode)))
			printf("device %s %u:%u\n", entry->d_name, major(stat_.st_rdev), minor(stat_.st_rdev));
	if (dir)
		closedir(dir);
}

static void print_links(const char *what, const char *path)
{
	char target[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (n > 0 && atoi(entry->d_name) != dirfd(dir))
			printf("%s %s %.*s\n", what, entry->d_name, (int)n, target);
	}
	if (dir)
		closedir(dir);
}

static void print_mounts(void)
{
	char line[4096], target[4096], options[256], type[64];
	FILE *file = fopen("/proc/self/mountinfo", "re");
	while (file && fgets(line, sizeof(line), file)) {
		const char *rest = strstr(line, " - ");
		if (rest && sscanf(line, "%*s %*s %*s %*s %4095s %255s", target, options) == 2 &&
		    sscanf(rest, " - %63s", type) == 1)
			printf("mount %s %s %s\n", target, type, options);
	}
	if (file)
		fclose(file);
}

/* Of its network, which docker sets. */
static void print_parameters(void)
{
	static const char *const parameters[] = { "ip_unprivileged_port_start", "ping_group_range" };
	for (size_t i = 0; i < COUNT(parameters); i++) {
		char path[64], text[64] = "-\n";
		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", parameters[i]);
		FILE *file = fopen(path, "re");
		if (file && !fgets(text, sizeof(text), file))
			strcpy(text, "-\n");
		if (file)
			fclose(file);
		printf("parameter %s %s", parameters[i], text);
	}
}

static int print_all(void)
{
	static const char *const sets[] = { "CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb" };
	for (size_t i = 0; i < COUNT(sets); i++)
		print_capabilities(sets[i]);
	printf("no_new_privs %lld\nseccomp %lld\n", status_field("NoNewPrivs", 10),
	       status_field("Seccomp", 10));
	for (size_t i = 0; i < COUNT(paths); i++)
		printf("path %s %s\n", paths[i], access_of(paths[i]));
	print_devices();
	print_parameters();
	print_links("namespace", "/proc/self/ns");
	print_mounts();
	print_links("descriptor", "/proc/self/fd");
	return 0;
}

/* The newest number that launcher/seccomp/table.h has. */
enum { NEWEST = 471 };

enum { MADE, REFUSED, UNKNOWN };

static bool is_tried(long number)
{
	static const long others[] = {
#ifdef SYS_vfork
		SYS_vfork, /* its child would return on our stack */
#endif
		SYS_sync, /* of all the machine's disks */
	};
	for (size_t i = 0; i < COUNT(others); i++)
		if (number == others[i])
			return false;
	return true;
}

/* With no address, descriptor, process or signal that there is, so that nothing happens. */
static int try_call(long number)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		alarm(1); /* pause(2) */
		if (syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) >= 0)
			_exit(MADE);
		_exit(errno == EPERM ? REFUSED : errno == ENOSYS ? UNKNOWN : MADE);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		exit(2);
	int said = WIFEXITED(status) ? WEXITSTATUS(status) : MADE;
	return said == REFUSED || said == UNKNOWN ? said : MADE;
}

static int print_calls(void)
{
	static const char *const words[] = { [MADE] = "made", [REFUSED] = "refused", [UNKNOWN] = "unknown" };
	for (long number = 0; number <= NEWEST; number++)
		if (is_tried(number)) {
			printf("call %ld %s\n", number, words[try_call(number)]);
			fflush(stdout);
		}
	return 0;
}

static int weak;

static void want(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "weak: %s\n", what);
	weak = 99;
}

static bool only_standard_descriptors(void)
{
	struct stat stat_;
	for (int fd = 3; fd < 1024; fd++)
		if (fstat(fd, &stat_) == 0)
			return false;
	return true;
}

static int verify(void)
{
	char here[PATH_MAX];
	want(!((uint64_t)status_field("CapBnd", 16) & ~capabilities_default), "bounding capabilities");
	want(!((uint64_t)status_field("CapEff", 16) & ~capabilities_default), "effective capabilities");
	want(!((uint64_t)status_field("CapInh", 16)), "inheritable capabilities");
	want(status_field("Seccomp", 10) == 2, "no seccomp filter");
	want(getpid() == 2, "processes of others");
	want(getcwd(here, sizeof(here)) != NULL, "a working directory outside");
	want(access("/etc/motd", F_OK) == 0, "another root");
	want(only_standard_descriptors(), "descriptors of the launcher's");
	want(access("/dev/sda", F_OK) < 0 && access("/dev/vda", F_OK) < 0, "devices of the host's");
	for (size_t i = 0; i < COUNT(paths); i++)
		if (!strcmp(access_of(paths[i]), "writable"))
			want(false, paths[i]);
	for (size_t i = 0; i < 12; i++)
		if (!strcmp(access_of(paths[i]), "readable"))
			want(false, paths[i]);
	return weak;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	if (!strcmp(verb, "calls"))
		return print_calls();
	return !strcmp(verb, "verify") ? verify() : print_all();
}

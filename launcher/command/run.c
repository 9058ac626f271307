/* wherry run: from the command line to a container's exit status. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/command/commands.h"
#include "launcher/container/launch.h"
#include "launcher/supervise/front.h"
#include "launcher/command/limit_options.h"
#include "launcher/command/run_foreign.h"
#include "launcher/spec/run_options.h"
#include "launcher/supervise/terminal.h"
#include "rootfs/base/err.h"

/* A line of the container's state. docker-run(1): a label may do without a value. */
static int option_label(const struct option *option, void *field, const char *value)
{
	size_t length = strcspn(value, "= \t\n");
	bool label = !strcmp(option->name, "label");
	if (!length || (value[length] && value[length] != '=') || (!value[length] && !label))
		return failx("--%s: '%s' is not KEY=VALUE", option->name, value);
	if (strchr(value, '\n'))
		return failx("--%s: '%s' has a newline in it", option->name, value);
	return option_strings(option, field, value);
}

/* docker-run(1): --init is what is done anyway, --init=false is --no-init. */
static int option_init(const struct option *option, void *field, const char *value)
{
	bool init;
	if (option_flag(option, &init, value) < 0)
		return -1;
	*(bool *)field = !init;
	return 0;
}

/* docker-run(1): 0 is at once, -1 never. What init counts in is milliseconds of 31 bits, of which 0 are none. */
static int option_stop_timeout(const struct option *option, void *field, const char *value)
{
	static const int64_t most = INT32_MAX / 1000;
	int64_t seconds;
	if (option_number(option, &seconds, value) < 0)
		return -1;
	if (seconds < -1 || seconds > most) {
		failx("--%s: %s is out of range", option->name, value);
		return hint("it goes from 0 to %lld; -1 is no end", (long long)most);
	}
	*(int64_t *)field = seconds > 0 ? seconds * 1000 : seconds + 1;
	return 0;
}

#define ROW(name, letter, argument, help, field, set) \
	{ name, letter, argument, help, offsetof(struct run_options, field), set }

static const struct option options[] = {
	ROW("env", 'e', "NAME[=VALUE]", "set a variable, or take it over", env, option_strings),
	ROW("env-file", 0, "FILE", "set the variables of a file", env_files, option_strings),
	ROW("env-host", 0, NULL, "take over wherry's whole environment", env_host, option_flag),
	ROW("workdir", 'w', "DIR", "the working directory", cwd, option_string),
	ROW("user", 'u', "USER[:GROUP]", "names or numbers", user, option_string),
	ROW("group-add", 0, "GROUP", "one more group, by name or number", group_add, option_strings),
	ROW("umask", 0, "MODE", "the program's umask, octal (022)", umask, option_string),
	ROW("entrypoint", 0, "PROGRAM", "instead of the image's; \"\": none", entrypoint, option_string),
	ROW("interactive", 'i', NULL, "standard input reaches the program", input, option_flag),
	ROW("tty", 't', NULL, "give it a terminal of its own", terminal, option_flag),
	ROW("detach-keys", 0, "KEYS", "with -it: leave it running (ctrl-p,ctrl-q); \"\": none", detach_keys,
	    option_string),
	ROW("volume", 'v', "SRC:DST[:OPTIONS]", "bind a path of the host, or a named volume", volumes,
	    option_strings),
	ROW("mount", 0, "KEY=VALUE,...", "type=bind, tmpfs or volume, source=, target=, readonly …", mounts,
	    option_strings),
	ROW("tmpfs", 0, "DST[:OPTIONS]", "mount an empty tmpfs", tmpfs, option_strings),
	ROW("read-only", 0, NULL, "the root cannot be written to", read_only, option_flag),
	ROW("overlay", 0, "WHERE", "what is written: ram[,size=SIZE], disk or DIR", overlay,
	    option_string),
	ROW("device", 0, "SRC[:DST][:rwm]", "give a device of the host", devices, option_strings),
	ROW("device-cgroup-rule", 0, "RULE", "allow devices: 'c 188:* rwm'", device_rules, option_strings),
	ROW("memory", 'm', "SIZE", "limit memory", limits.value[LIMIT_MEMORY], option_size),
	ROW("memory-swap", 0, "SIZE", "limit memory and swap together; -1: no limit",
	    limits.value[LIMIT_SWAP], option_swap),
	ROW("memory-reservation", 0, "SIZE", "memory that others' needs leave it",
	    limits.value[LIMIT_RESERVATION], option_size),
	ROW("memory-high", 0, "SIZE", "slow it down above this (cgroup v2)", limits.value[LIMIT_HIGH],
	    option_size),
	ROW("memory-swappiness", 0, "0-100", "how readily it is swapped (cgroup v1)",
	    limits.text[LIMIT_SWAPPINESS], option_swappiness),
	ROW("cpus", 0, "NUMBER", "limit processor time: 0.5 is half of one", limits.cpus, option_cpus),
	ROW("cpu-period", 0, "US", "the period of --cpu-quota (100000)", limits.value[LIMIT_CPU_PERIOD],
	    option_limit),
	ROW("cpu-quota", 0, "US", "processor time in each period; -1: no limit",
	    limits.value[LIMIT_CPU], option_limit),
	ROW("cpu-shares", 'c', "NUMBER", "its weight against others' 1024", limits.value[LIMIT_CPU_SHARES],
	    option_limit),
	ROW("cpuset-cpus", 0, "LIST", "the processors that it runs on: 0-2,5",
	    limits.text[LIMIT_CPUSET_CPUS], option_cpuset),
	ROW("cpuset-mems", 0, "LIST", "the memory nodes that it uses", limits.text[LIMIT_CPUSET_MEMS],
	    option_cpuset),
	ROW("pids-limit", 0, "NUMBER", "limit processes and threads; -1: no limit",
	    limits.value[LIMIT_PIDS], option_limit),
	ROW("blkio-weight", 0, "10-1000", "its weight at disks, against others' 100",
	    limits.value[LIMIT_BLKIO_WEIGHT], option_limit),
	ROW("device-read-bps", 0, "DISK:SIZE", "bytes read from a disk in a second",
	    limits.rates[LIMIT_READ_BPS], option_rate),
	ROW("device-write-bps", 0, "DISK:SIZE", "bytes written to it", limits.rates[LIMIT_WRITE_BPS],
	    option_rate),
	ROW("device-read-iops", 0, "DISK:NUMBER", "reads in a second", limits.rates[LIMIT_READ_IOPS],
	    option_rate),
	ROW("device-write-iops", 0, "DISK:NUMBER", "writes in a second", limits.rates[LIMIT_WRITE_IOPS],
	    option_rate),
	ROW("report", 0, "FILE", "write how it ended and what it used, as JSON", report, option_string),
	ROW("cap-add", 0, "CAPABILITY", "give a capability; ALL: every one", cap_add, option_strings),
	ROW("cap-drop", 0, "CAPABILITY", "take a capability; ALL: every one", cap_drop, option_strings),
	ROW("security-opt", 0, "OPTION", "seccomp=unconfined|FILE, no-new-privileges", security,
	    option_strings),
	ROW("privileged", 0, NULL, "all capabilities and devices, /sys and /proc as the host has them", privileged,
	    option_flag),
	ROW("ulimit", 0, "NAME=SOFT[:HARD]", "limit each of its processes", ulimits, option_strings),
	ROW("sysctl", 0, "KEY=VALUE", "set a parameter of its own namespaces", sysctls, option_strings),
	ROW("oom-score-adj", 0, "NUMBER", "-1000 to 1000: who goes first when memory is out",
	    oom_score_adj, option_number),
	ROW("shm-size", 0, "SIZE", "the size of /dev/shm (64M)", shm_size, option_size),
	ROW("pid", 0, "private|host", "see its own processes, or the host's", pid, option_string),
	ROW("ipc", 0, "WHOSE", "private, shareable, none, host, container:NAME (private)", ipc, option_string),
	ROW("userns", 0, "host|USER", "give it USER's ids of /etc/subuid and /etc/subgid", userns,
	    option_string),
	ROW("uts", 0, "private|host", "have a name of its own, or the host's", uts, option_string),
	ROW("network", 0, "WHICH", "none, host, bridge, container:NAME, ns:PATH (none: loopback alone)", network,
	    option_string),
	ROW("publish", 'p', "[ADDR:][HOST:]PORT[/udp]", "lead a port of the host's there (--network bridge)", publish,
	    option_strings),
	ROW("ip", 0, "ADDRESS", "its address on the bridge", ip, option_string),
	ROW("mac-address", 0, "ADDRESS", "that of its interface", mac, option_string),
	ROW("hostname", 'h', "NAME", "the container's host name", hostname, option_string),
	ROW("add-host", 0, "NAME:ADDRESS", "add a line to /etc/hosts", hosts, option_strings),
	ROW("dns", 0, "ADDRESS", "a name server, in /etc/resolv.conf", dns, option_strings),
	ROW("dns-search", 0, "DOMAIN", "where names without a dot are looked for; .: nowhere", dns_search,
	    option_strings),
	ROW("dns-option", 0, "OPTION", "one of resolv.conf(5)", dns_options, option_strings),
	ROW("name", 0, "NAME", "the container's name", name, option_string),
	ROW("label", 'l', "KEY[=VALUE]", "note it with the container while it runs", labels,
	    option_label),
	ROW("annotation", 0, "KEY=VALUE", "the same, under another heading", annotations,
	    option_label),
	ROW("rm", 0, NULL, "remove the container at its end: always done", remove, option_flag),
	ROW("cidfile", 0, "FILE", "write the container's name to FILE, which must not exist", cid_file,
	    option_string),
	ROW("stop-signal", 0, "SIGNAL", "the signal that asks it to end (TERM)", stop_signal,
	    option_string),
	ROW("stop-timeout", 0, "SECONDS", "after that signal, until it is killed; -1: never (default)",
	    stop_timeout, option_stop_timeout),
	ROW("platform", 0, "OS/ARCH", "the platform to take of an image with several", platform,
	    option_string),
	ROW("no-unpack", 0, NULL, "run an archive as it is: only an index of it is made", no_unpack, option_flag),
	ROW("init", 0, NULL, "an init is PID 1: always so, but for --no-init", no_init, option_init),
	ROW("no-init", 0, NULL, "the program itself is PID 1", no_init, option_flag),
	ROW("init-path", 0, "FILE", "the init to use instead of wherry's own", init_path,
	    option_string),
	{ 0 }
};

/* As front_split, where there is a terminal that can be left; otherwise 0, and *FRONT stays. */
static int split(const struct run_options *given, int *front, int *status)
{
	static struct keys keys;
	if (keys_parse(&keys, given->detach_keys ? given->detach_keys : KEYS_DEFAULT) < 0)
		return -1;
	if (!given->terminal || !given->input || !keys.count || !isatty(STDIN_FILENO))
		return 0;
	return front_split(&keys, front, status);
}

static int run(const struct globals *globals, void *words, char **operands)
{
	const struct run_options *given = words;
	struct run_report report;
	struct launch launch = {
		.root = globals->root, .state = globals->state, .image = operands[0], .words = operands + 1,
		.given = given, .report = &report, .front = -1,
	};
	int left;
	int r = split(given, &launch.front, &left);
	if (r)
		return r < 0 ? -1 : left;
	if (given->input && !given->terminal)
		terminal_await();
	return run_report_open(&report, given->report) < 0 ? -1 : launch_run(&launch);
}

const struct command run_command = {
	.name = "run",
	.operands = "IMAGE [COMMAND [ARG…]]",
	.summary = "Run a program in a container of its own",
	.options = options,
	.least = 1,
	.most = -1,
	.program = true,
	.words = sizeof(struct run_options),
	.run = run,
	.foreign = run_foreign,
};

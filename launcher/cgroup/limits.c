#include "launcher/cgroup/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "launcher/cgroup/file.h"
#include "launcher/cgroup/weight.h"
#include "rootfs/base/err.h"

enum { TEXT_MAX = 256 };

/* Writes what belongs into the file of ROW into TEXT. */
struct row;
typedef void format(const struct limits *, enum limit_kind, bool unified, char text[TEXT_MAX]);

static void number(const struct limits *limits, enum limit_kind kind, bool unified, char text[TEXT_MAX])
{
	int64_t value = limits->value[kind];
	bool words = unified || kind == LIMIT_PIDS; /* elsewhere v1 writes "no limit" as -1 */
	if (value < 0 && words)
		strcpy(text, "max");
	else
		snprintf(text, TEXT_MAX, "%lld", (long long)value);
}

/* v1 limits memory and swap together, v2 swap alone. */
static void swap(const struct limits *limits, enum limit_kind kind, bool unified, char text[TEXT_MAX])
{
	int64_t value = limits->value[kind];
	number(limits, kind, unified, text);
	if (unified && value > 0)
		snprintf(text, TEXT_MAX, "%lld", (long long)(value - limits->value[LIMIT_MEMORY]));
}

/* v2 has quota and period in one file. */
static void period(const struct limits *limits, enum limit_kind kind, bool unified, char text[TEXT_MAX])
{
	snprintf(text, TEXT_MAX, "%s%lld", unified ? "max " : "", (long long)limits->value[kind]);
}

static void quota(const struct limits *limits, enum limit_kind kind, bool unified, char text[TEXT_MAX])
{
	number(limits, kind, unified, text);
	int64_t length = limits->value[LIMIT_CPU_PERIOD];
	if (unified && length)
		snprintf(text + strlen(text), 32, " %lld", (long long)length);
}

static void shares(const struct limits *limits, enum limit_kind kind, bool unified, char text[TEXT_MAX])
{
	int64_t value = limits->value[kind];
	snprintf(text, TEXT_MAX, "%lld", (long long)(unified ? cgroup_weight_of(value) : value));
}

static void copy(const struct limits *limits, enum limit_kind kind, bool unified, char text[TEXT_MAX])
{
	(void)unified;
	snprintf(text, TEXT_MAX, "%s", limits->text[kind]);
}

/* FORMAT NULL: set by a function of its own. A file that is NULL isn't in that dialect. */
static const struct row {
	const char *option;
	enum controller controller;
	const char *v1, *v2;
	format *format;
	const char *hint; /* where the file is missing */
} rows[LIMIT_COUNT] = {
	[LIMIT_MEMORY] = { "--memory", CONTROLLER_MEMORY, "memory.limit_in_bytes", "memory.max", number,
			   NULL },
	[LIMIT_SWAP] = { "--memory-swap", CONTROLLER_MEMORY, "memory.memsw.limit_in_bytes",
			 "memory.swap.max", swap,
			 "CONFIG_SWAP, CONFIG_MEMCG and, on older kernels, swapaccount=1 provide it" },
	[LIMIT_RESERVATION] = { "--memory-reservation", CONTROLLER_MEMORY, "memory.soft_limit_in_bytes",
				"memory.low", number, NULL },
	[LIMIT_HIGH] = { "--memory-high", CONTROLLER_MEMORY, NULL, "memory.high", number, NULL },
	[LIMIT_SWAPPINESS] = { "--memory-swappiness", CONTROLLER_MEMORY, "memory.swappiness", NULL, copy,
			       NULL },
	[LIMIT_CPU_PERIOD] = { "--cpu-period", CONTROLLER_CPU, "cpu.cfs_period_us", "cpu.max", period,
			       "CONFIG_CFS_BANDWIDTH provides it" },
	[LIMIT_CPU] = { "--cpus", CONTROLLER_CPU, "cpu.cfs_quota_us", "cpu.max", quota,
			"CONFIG_CFS_BANDWIDTH provides it" },
	[LIMIT_CPU_SHARES] = { "--cpu-shares", CONTROLLER_CPU, "cpu.shares", "cpu.weight", shares, NULL },
	[LIMIT_CPUSET_CPUS] = { "--cpuset-cpus", CONTROLLER_CPUSET, "cpuset.cpus", "cpuset.cpus", copy,
				NULL },
	[LIMIT_CPUSET_MEMS] = { "--cpuset-mems", CONTROLLER_CPUSET, "cpuset.mems", "cpuset.mems", copy,
				NULL },
	[LIMIT_PIDS] = { "--pids-limit", CONTROLLER_PIDS, "pids.max", "pids.max", number, NULL },
	[LIMIT_BLKIO_WEIGHT] = { "--blkio-weight", CONTROLLER_IO, NULL, NULL, NULL, NULL },
	[LIMIT_READ_BPS] = { "--device-read-bps", CONTROLLER_IO, "blkio.throttle.read_bps_device", "rbps",
			     NULL, NULL },
	[LIMIT_WRITE_BPS] = { "--device-write-bps", CONTROLLER_IO, "blkio.throttle.write_bps_device",
			      "wbps", NULL, NULL },
	[LIMIT_READ_IOPS] = { "--device-read-iops", CONTROLLER_IO, "blkio.throttle.read_iops_device",
			      "riops", NULL, NULL },
	[LIMIT_WRITE_IOPS] = { "--device-write-iops", CONTROLLER_IO, "blkio.throttle.write_iops_device",
			       "wiops", NULL, NULL },
};

const char *cgroup_limit_option(enum limit_kind kind)
{
	return rows[kind].option;
}

enum controller cgroup_limit_controller(enum limit_kind kind)
{
	return rows[kind].controller;
}

/*
 * errno says how the write ended. ENOENT, EACCES: creating a file is what a cgroup refuses with it;
 * v1 also refuses with it processors that the parent cgroup doesn't have.
 */
static int explain(const struct row *row, const char *path, const char *file, const char *text)
{
	if (row->controller == CONTROLLER_CPUSET && errno != ENOENT)
		return failx("%s: %s is not what there is here", row->option, text);
	if (errno != ENOENT && errno != EACCES)
		return fail("%s: write %s to %s/%s", row->option, text, path, file);
	failx("%s: this kernel has no %s", row->option, file);
	return row->hint ? hint("%s", row->hint) : -1;
}

/* v2 takes what isn't there, and falls back to everything: what is in effect has to be what was asked for. */
static int check_cpuset(int dir, const struct row *row)
{
	char asked[TEXT_MAX], effective[TEXT_MAX], file[64];
	snprintf(file, sizeof(file), "%s.effective", row->v2);
	if (cgroup_read(dir, row->v2, asked, sizeof(asked)) < 0 ||
	    cgroup_read(dir, file, effective, sizeof(effective)) < 0 || !strcmp(asked, effective))
		return 0;
	asked[strcspn(asked, "\n")] = effective[strcspn(effective, "\n")] = '\0';
	return failx("%s: of %s only %s can be had here", row->option, asked, effective);
}

/* One line a disk: "8:0 1048576"; on v2 all four rates are in one file: "8:0 rbps=1048576". */
static int set_rates(int dir, bool unified, const char *path, const struct limits *limits,
		     enum limit_kind kind)
{
	const struct row *row = &rows[kind];
	const char *file = unified ? "io.max" : row->v1;
	for (size_t i = 0; i < limits->rates[kind].count; i++) {
		const struct rate *rate = &limits->rates[kind].at[i];
		char text[TEXT_MAX];
		snprintf(text, sizeof(text), "%u:%u %s%s%lld", major(rate->device), minor(rate->device),
			 unified ? row->v2 : "", unified ? "=" : "", (long long)rate->value);
		if (cgroup_write(dir, file, text) == 0)
			continue;
		if (errno == ENODEV || errno == EINVAL) {
			fail("%s: write %s to %s/%s", row->option, text, path, file);
			return hint("a whole disk is limited, never a partition of it");
		}
		explain(row, path, file, text);
		return hint("CONFIG_BLK_DEV_THROTTLING provides it");
	}
	return 0;
}

int cgroup_limit_set(int dir, bool unified, const char *path, const struct limits *limits,
		     enum limit_kind kind)
{
	const struct row *row = &rows[kind];
	const char *file = unified ? row->v2 : row->v1;
	char text[TEXT_MAX];
	if (kind == LIMIT_BLKIO_WEIGHT)
		return cgroup_weight_set(dir, unified, limits->value[kind]);
	if (!row->format)
		return set_rates(dir, unified, path, limits, kind);
	if (!file)
		return failx("%s: the memory controller is in cgroup %s, which has no such limit",
			     row->option, unified ? "v2" : "v1");
	row->format(limits, kind, unified, text);
	if (cgroup_write(dir, file, text) == 0)
		return unified && row->controller == CONTROLLER_CPUSET ? check_cpuset(dir, row) : 0;
	if (kind == LIMIT_SWAP && limits->swap_by_default && (errno == ENOENT || errno == EACCES))
		return 0;
	return explain(row, path, file, text);
}

int cgroup_limit_inherit_cpuset(int parent, int dir)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	for (int i = 0; i < 2; i++) {
		char text[TEXT_MAX];
		if (cgroup_read(parent, files[i], text, sizeof(text)) < 0 ||
		    cgroup_write(dir, files[i], text) < 0)
			return fail("take over the parent's %s", files[i]);
	}
	return 0;
}

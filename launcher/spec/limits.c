#include "launcher/spec/limits.h"

#include "rootfs/base/err.h"

/* The kernel's own ranges, but for the 10 of --blkio-weight, which is docker-run(1)'s. */
const struct limit limit_table[LIMIT_COUNT] = {
	[LIMIT_MEMORY] = { .option = "memory", .controller = CONTROLLER_MEMORY, .form = LIMIT_AS_NUMBER,
			   .v1 = "memory.limit_in_bytes", .v2 = "memory.max" },
	[LIMIT_SWAP] = { .option = "memory-swap", .controller = CONTROLLER_MEMORY, .form = LIMIT_AS_SWAP,
			 .v1 = "memory.memsw.limit_in_bytes", .v2 = "memory.swap.max",
			 .needs = "CONFIG_SWAP, CONFIG_MEMCG and, on older kernels, swapaccount=1 provide it" },
	[LIMIT_RESERVATION] = { .option = "memory-reservation", .controller = CONTROLLER_MEMORY,
				.form = LIMIT_AS_NUMBER, .v1 = "memory.soft_limit_in_bytes", .v2 = "memory.low" },
	[LIMIT_HIGH] = { .option = "memory-high", .controller = CONTROLLER_MEMORY, .form = LIMIT_AS_NUMBER,
			 .v2 = "memory.high" },
	[LIMIT_SWAPPINESS] = { .option = "memory-swappiness", .least = 0, .most = 100,
			       .controller = CONTROLLER_MEMORY, .form = LIMIT_AS_TEXT, .v1 = "memory.swappiness" },
	[LIMIT_CPU_PERIOD] = { .option = "cpu-period", .least = 1000, .most = 1000000,
			       .controller = CONTROLLER_CPU, .form = LIMIT_AS_PERIOD, .v1 = "cpu.cfs_period_us",
			       .v2 = "cpu.max", .needs = "CONFIG_CFS_BANDWIDTH provides it" },
	[LIMIT_CPU] = { .option = "cpu-quota", .least = 1000, .most = INT32_MAX, .unlimited = true,
			.controller = CONTROLLER_CPU, .form = LIMIT_AS_QUOTA, .v1 = "cpu.cfs_quota_us",
			.v2 = "cpu.max", .needs = "CONFIG_CFS_BANDWIDTH provides it" },
	[LIMIT_CPU_SHARES] = { .option = "cpu-shares", .least = 2, .most = 262144,
			       .controller = CONTROLLER_CPU, .form = LIMIT_AS_SHARES, .v1 = "cpu.shares",
			       .v2 = "cpu.weight" },
	[LIMIT_CPUSET_CPUS] = { .option = "cpuset-cpus", .controller = CONTROLLER_CPUSET, .form = LIMIT_AS_TEXT,
				.v1 = "cpuset.cpus", .v2 = "cpuset.cpus" },
	[LIMIT_CPUSET_MEMS] = { .option = "cpuset-mems", .controller = CONTROLLER_CPUSET, .form = LIMIT_AS_TEXT,
				.v1 = "cpuset.mems", .v2 = "cpuset.mems" },
	[LIMIT_PIDS] = { .option = "pids-limit", .least = 1, .most = 4194304, /* PID_MAX_LIMIT, linux/threads.h */
			 .unlimited = true, .controller = CONTROLLER_PIDS, .form = LIMIT_AS_NUMBER,
			 .v1 = "pids.max", .v2 = "pids.max" },
	[LIMIT_BLKIO_WEIGHT] = { .option = "blkio-weight", .least = 10, .most = 1000,
				 .controller = CONTROLLER_IO, .form = LIMIT_AS_WEIGHT },
	[LIMIT_READ_BPS] = { .option = "device-read-bps", .controller = CONTROLLER_IO, .form = LIMIT_AS_BYTE_RATE,
			     .v1 = "blkio.throttle.read_bps_device", .v2 = "rbps" },
	[LIMIT_WRITE_BPS] = { .option = "device-write-bps", .controller = CONTROLLER_IO, .form = LIMIT_AS_BYTE_RATE,
			      .v1 = "blkio.throttle.write_bps_device", .v2 = "wbps" },
	[LIMIT_READ_IOPS] = { .option = "device-read-iops", .controller = CONTROLLER_IO, .form = LIMIT_AS_RATE,
			      .v1 = "blkio.throttle.read_iops_device", .v2 = "riops" },
	[LIMIT_WRITE_IOPS] = { .option = "device-write-iops", .controller = CONTROLLER_IO, .form = LIMIT_AS_RATE,
			       .v1 = "blkio.throttle.write_iops_device", .v2 = "wiops" },
};

static int settle_cpus(struct limits *limits)
{
	if (!limits->cpus)
		return 0;
	if (limits->value[LIMIT_CPU] || limits->value[LIMIT_CPU_PERIOD])
		return failx("--cpus is a quota and a period: --cpu-quota and --cpu-period exclude it");
	limits->value[LIMIT_CPU] = limits->cpus;
	return 0;
}

int limits_settle(struct limits *limits)
{
	int64_t memory = limits->value[LIMIT_MEMORY], swap = limits->value[LIMIT_SWAP];
	if (swap > 0 && !memory)
		return failx("--memory-swap wants --memory beside it");
	if (!memory)
		limits->value[LIMIT_SWAP] = 0; /* -1: without a limit on memory there is none on swap */
	if (swap > 0 && swap < memory)
		return failx("--memory-swap is memory and swap together: less than --memory cannot be");
	if (memory && !swap) {
		/* docker-run(1): as much swap as memory */
		limits->value[LIMIT_SWAP] = 2 * memory;
		limits->swap_by_default = true;
	}
	if (memory && limits->value[LIMIT_RESERVATION] > memory)
		return failx("--memory-reservation is more than --memory");
	if (memory && limits->value[LIMIT_HIGH] > memory)
		return failx("--memory-high is more than --memory");
	return settle_cpus(limits);
}

bool limits_has(const struct limits *limits, enum limit_kind kind)
{
	return limits->value[kind] || limits->text[kind] || limits->rates[kind].count;
}

const char *limits_option(const struct limits *limits, enum limit_kind kind)
{
	return kind == LIMIT_CPU && limits->cpus ? "cpus" : limit_table[kind].option;
}

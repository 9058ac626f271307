#include "launcher/cgroup/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "launcher/cgroup/file.h"
#include "launcher/cgroup/weight.h"
#include "rootfs/base/err.h"

enum { TEXT_MAX = 256 };

/* Writes what belongs into the limit's file into TEXT. */
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

/* By enum limit_form; NULL: not a number in a file of its own. */
static format *const formats[] = {
	[LIMIT_AS_NUMBER] = number, [LIMIT_AS_SWAP] = swap,     [LIMIT_AS_PERIOD] = period,
	[LIMIT_AS_QUOTA] = quota,   [LIMIT_AS_SHARES] = shares, [LIMIT_AS_TEXT] = copy,
	[LIMIT_AS_WEIGHT] = NULL,   [LIMIT_AS_BYTE_RATE] = NULL, [LIMIT_AS_RATE] = NULL,
};

/*
 * errno says how the write ended. ENOENT, EACCES: creating a file is what a cgroup refuses with it;
 * v1 also refuses with it processors that the parent cgroup doesn't have.
 */
static int explain(const struct limits *limits, enum limit_kind kind, const char *path, const char *file,
		   const char *text)
{
	const struct limit *limit = &limit_table[kind];
	const char *option = limits_option(limits, kind);
	if (limit->controller == CONTROLLER_CPUSET && errno != ENOENT)
		return failx("--%s: %s is not what there is here", option, text);
	if (errno != ENOENT && errno != EACCES)
		return fail("--%s: write %s to %s/%s", option, text, path, file);
	failx("--%s: this kernel has no %s", option, file);
	return limit->needs ? hint("%s", limit->needs) : -1;
}

/* v2 takes what isn't there, and falls back to everything: what is in effect has to be what was asked for. */
static int check_cpuset(int dir, const struct limit *limit)
{
	char asked[TEXT_MAX], effective[TEXT_MAX], file[64];
	snprintf(file, sizeof(file), "%s.effective", limit->v2);
	if (cgroup_read(dir, limit->v2, asked, sizeof(asked)) < 0 ||
	    cgroup_read(dir, file, effective, sizeof(effective)) < 0 || !strcmp(asked, effective))
		return 0;
	asked[strcspn(asked, "\n")] = effective[strcspn(effective, "\n")] = '\0';
	return failx("--%s: of %s only %s can be had here", limit->option, asked, effective);
}

/* One line a disk: "8:0 1048576"; on v2 all four rates are in one file: "8:0 rbps=1048576". */
static int set_rates(int dir, bool unified, const char *path, const struct limits *limits,
		     enum limit_kind kind)
{
	const struct limit *limit = &limit_table[kind];
	const char *file = unified ? "io.max" : limit->v1;
	for (size_t i = 0; i < limits->rates[kind].count; i++) {
		const struct rate *rate = &limits->rates[kind].at[i];
		char text[TEXT_MAX];
		snprintf(text, sizeof(text), "%u:%u %s%s%lld", major(rate->device), minor(rate->device),
			 unified ? limit->v2 : "", unified ? "=" : "", (long long)rate->value);
		if (cgroup_write(dir, file, text) == 0)
			continue;
		if (errno == ENODEV || errno == EINVAL) {
			fail("--%s: write %s to %s/%s", limit->option, text, path, file);
			return hint("a whole disk is limited, never a partition of it");
		}
		explain(limits, kind, path, file, text);
		return hint("CONFIG_BLK_DEV_THROTTLING provides it");
	}
	return 0;
}

int cgroup_limit_set(int dir, bool unified, const char *path, const struct limits *limits,
		     enum limit_kind kind)
{
	const struct limit *limit = &limit_table[kind];
	const char *file = unified ? limit->v2 : limit->v1;
	char text[TEXT_MAX];
	if (limit->form == LIMIT_AS_WEIGHT)
		return cgroup_weight_set(dir, unified, limits->value[kind]);
	if (!formats[limit->form])
		return set_rates(dir, unified, path, limits, kind);
	if (!file)
		return failx("--%s: the memory controller is in cgroup %s, which has no such limit",
			     limit->option, unified ? "v2" : "v1");
	formats[limit->form](limits, kind, unified, text);
	if (cgroup_write(dir, file, text) == 0)
		return unified && limit->controller == CONTROLLER_CPUSET ? check_cpuset(dir, limit) : 0;
	if (kind == LIMIT_SWAP && limits->swap_by_default && (errno == ENOENT || errno == EACCES))
		return 0;
	return explain(limits, kind, path, file, text);
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

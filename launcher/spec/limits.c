#include "launcher/spec/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rootfs/base/err.h"

/* The kernel's own ranges, but for 10, which is docker-run(1)'s. 0 is as if the option weren't there, likewise. */
static const struct {
	const char *option;
	int64_t least, most;
	bool unlimited; /* -1 is taken too */
} ranges[] = {
	{ "cpu-shares", 2, 262144, false },
	{ "cpu-period", 1000, 1000000, false },
	{ "cpu-quota", 1000, INT32_MAX, true },
	{ "pids-limit", 1, 4194304, true }, /* PID_MAX_LIMIT, linux/threads.h */
	{ "blkio-weight", 10, 1000, false },
	{ "memory-swappiness", 0, 100, false },
};

static int check_range(const struct option *option, int64_t value, const char *text)
{
	size_t i = 0;
	while (strcmp(ranges[i].option, option->name))
		i++;
	if (!value || (value >= ranges[i].least && value <= ranges[i].most) ||
	    (value == -1 && ranges[i].unlimited))
		return 0;
	failx("--%s: %s is out of range", option->name, text);
	return hint("it goes from %lld to %lld%s", (long long)ranges[i].least,
		    (long long)ranges[i].most, ranges[i].unlimited ? "; -1 is no limit" : "");
}

int option_limit(const struct option *option, void *field, const char *value)
{
	if (option_number(option, field, value) < 0)
		return -1;
	return check_range(option, *(int64_t *)field, value);
}

int option_swappiness(const struct option *option, void *field, const char *value)
{
	int64_t number;
	*(const char **)field = NULL;
	if (!strcmp(value, "-1")) /* docker-run(1): as the machine has it */
		return 0;
	if (option_number(option, &number, value) < 0)
		return -1;
	*(const char **)field = value;
	return check_range(option, number, value);
}

/* "0.5" → 50,000 µs in each period of 100,000. The kernel's least is 1,000 µs (0.01); 0 is no limit. */
int option_cpus(const struct option *option, void *field, const char *value)
{
	char *end;
	errno = 0;
	double cpus = strtod(value, &end);
	if (errno || end == value || *end || !(cpus == 0 || (cpus >= 0.01 && cpus <= 8192))) {
		failx("--%s: '%s' is not a number of processors", option->name, value);
		return hint("0.01 is the least that the kernel takes");
	}
	*(int64_t *)field = (int64_t)(cpus * 100000 + 0.5);
	return 0;
}

int option_swap(const struct option *option, void *field, const char *value)
{
	if (!strcmp(value, "-1")) {
		*(int64_t *)field = -1;
		return 0;
	}
	return option_size(option, field, value);
}

/* Its letters only: what the numbers may be, the kernel says. */
int option_cpuset(const struct option *option, void *field, const char *value)
{
	if (!*value || value[strspn(value, "0123456789,-")]) {
		failx("--%s: '%s' is not a list of numbers", option->name, value);
		return hint("a list is like 0-2,5");
	}
	*(const char **)field = value;
	return 0;
}

static int parse_rate(const struct option *option, struct rate *rate, const char *word)
{
	char *end;
	struct stat stat_;
	const char *colon = strrchr(word, ':');
	bool bytes = strstr(option->name, "bps") != NULL;
	if (!colon || colon == word)
		return failx("--%s: '%s' is not DEVICE:%s", option->name, word, bytes ? "SIZE" : "NUMBER");
	rate->value = bytes ? size_parse(colon + 1) : strtoll(colon + 1, &end, 10);
	if (rate->value <= 0 || (!bytes && *end))
		return failx("--%s: '%s' is not a number a second", option->name, colon + 1);
	char *path = strndup(word, (size_t)(colon - word));
	int r = path ? stat(path, &stat_) : -1;
	free(path);
	if (r < 0)
		return fail("--%s %s", option->name, word);
	if (!S_ISBLK(stat_.st_mode))
		return failx("--%s %s: it is no block device", option->name, word);
	rate->device = stat_.st_rdev;
	return 0;
}

int option_rate(const struct option *option, void *field, const char *value)
{
	struct rates *rates = field;
	struct rate *grown = realloc(rates->at, (rates->count + 1) * sizeof(*grown));
	if (!grown)
		return fail("--%s", option->name);
	rates->at = grown;
	return parse_rate(option, &grown[rates->count++], value);
}

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

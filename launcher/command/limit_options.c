#include "launcher/command/limit_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/spec/limits.h"
#include "rootfs/base/err.h"

/* By its option's name; every row that is set here is in the table. */
static const struct limit *limit_of(const struct option *option)
{
	for (int kind = 0; kind < LIMIT_COUNT; kind++)
		if (!strcmp(limit_table[kind].option, option->name))
			return &limit_table[kind];
	return NULL;
}

static int check_range(const struct option *option, int64_t value, const char *text)
{
	const struct limit *limit = limit_of(option);
	if (!limit)
		return failx("--%s: it is no limit", option->name);
	if (!value || (value >= limit->least && value <= limit->most) || (value == -1 && limit->unlimited))
		return 0;
	failx("--%s: %s is out of range", option->name, text);
	return hint("it goes from %lld to %lld%s", (long long)limit->least, (long long)limit->most,
		    limit->unlimited ? "; -1 is no limit" : "");
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
	const struct limit *limit = limit_of(option);
	bool bytes = limit && limit->form == LIMIT_AS_BYTE_RATE;
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

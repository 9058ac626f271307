#include "launcher/rights/rlimits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "rootfs/base/err.h"

static const struct {
	const char *name;
	int resource;
} names[] = {
	/* as docker-run(1) and limits.conf(5) call them */
	{ "as", RLIMIT_AS },           { "core", RLIMIT_CORE },     { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },       { "fsize", RLIMIT_FSIZE },   { "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },       { "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },         { "rtprio", RLIMIT_RTPRIO }, { "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING }, { "stack", RLIMIT_STACK },
};

static int find_resource(const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i].name) == length && !memcmp(names[i].name, word, length))
			return names[i].resource;
	return -1;
}

/* Returns what stands behind the number, or NULL. */
static const char *parse_number(const char *text, uint64_t *number)
{
	if (!strncmp(text, "unlimited", 9) || !strncmp(text, "-1", 2)) {
		*number = RLIM_INFINITY;
		return text + (*text == 'u' ? 9 : 2);
	}
	char *end;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return *text < '0' || *text > '9' || errno ? NULL : end;
}

int rlimit_parse(struct rlimit_word *limit, const char *word)
{
	size_t length = strcspn(word, "=");
	limit->word = word;
	limit->resource = find_resource(word, length);
	if (limit->resource < 0 || word[length] != '=') {
		failx("--ulimit: '%s' is not NAME=SOFT[:HARD]", word);
		return hint("the names are those of limits.conf(5): nofile, nproc, core, memlock …");
	}
	const char *rest = parse_number(word + length + 1, &limit->soft);
	limit->hard = limit->soft;
	if (rest && *rest == ':')
		rest = parse_number(rest + 1, &limit->hard);
	if (!rest || *rest || limit->soft > limit->hard)
		return failx("--ulimit: '%s' is not NAME=SOFT[:HARD]", word);
	return 0;
}

int rlimit_set(const struct rlimit_word *limit)
{
	struct rlimit value = { limit->soft, limit->hard };
	if (setrlimit(limit->resource, &value) < 0)
		return fail("--ulimit %s", limit->word);
	return 0;
}

int rlimit_allow(const struct rlimit_word *limit, pid_t pid)
{
	struct rlimit value;
	if (prlimit(pid, limit->resource, NULL, &value) < 0)
		return fail("--ulimit %s", limit->word);
	if (limit->hard <= value.rlim_max)
		return 0;
	value.rlim_max = limit->hard;
	return prlimit(pid, limit->resource, &value, NULL) < 0 ? fail("--ulimit %s", limit->word) : 0;
}

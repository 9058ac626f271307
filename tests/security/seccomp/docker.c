#include "tests/security/seccomp/docker.h"

#include <err.h>
#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct rule {
	uint32_t action;
	bool applies;
	unsigned count;
	struct scmp_arg_cmp condition;
};

struct reader {
	FILE *file;
	const char *machine;
	uint64_t caps;
	struct rule rule;
};

static const struct {
	const char *name;
	int number;
} capabilities[] = {
	{ "BPF", CAP_BPF }, { "DAC_READ_SEARCH", CAP_DAC_READ_SEARCH }, { "PERFMON", CAP_PERFMON },
	{ "SYSLOG", CAP_SYSLOG }, { "SYS_ADMIN", CAP_SYS_ADMIN }, { "SYS_BOOT", CAP_SYS_BOOT },
	{ "SYS_CHROOT", CAP_SYS_CHROOT }, { "SYS_MODULE", CAP_SYS_MODULE },
	{ "SYS_NICE", CAP_SYS_NICE }, { "SYS_PACCT", CAP_SYS_PACCT },
	{ "SYS_PTRACE", CAP_SYS_PTRACE }, { "SYS_RAWIO", CAP_SYS_RAWIO },
	{ "SYS_TIME", CAP_SYS_TIME }, { "SYS_TTY_CONFIG", CAP_SYS_TTY_CONFIG },
};

static const struct {
	const char *name;
	enum scmp_compare operator;
} operators[] = {
	{ "EQ", SCMP_CMP_EQ }, { "GT", SCMP_CMP_GT }, { "LT", SCMP_CMP_LT },
	{ "MASKED_EQ", SCMP_CMP_MASKED_EQ },
};

static bool has_cap(const struct reader *reader, const char *name)
{
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++)
		if (!strcmp(capabilities[i].name, name))
			return reader->caps >> capabilities[i].number & 1;
	errx(2, "docker.rules: capability %s", name);
}

static bool is_among(const char *list, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, word, length) && (at[length] == ',' || !at[length]))
			return true;
	return false;
}

static void read_condition(struct rule *rule, const char *index, const char *operator,
			   const char *value)
{
	size_t i = 0;
	while (i < sizeof(operators) / sizeof(*operators) && strcmp(operators[i].name, operator))
		i++;
	if (i == sizeof(operators) / sizeof(*operators) || rule->count)
		errx(2, "docker.rules: condition %s", operator);
	rule->count = 1;
	rule->condition = SCMP_CMP64((unsigned)atoi(index), operators[i].operator,
				     strtoull(value, NULL, 10), 0);
}

static char *next(void)
{
	char *word = strtok(NULL, " \n");
	if (!word)
		errx(2, "docker.rules: a condition lacks its end");
	return word;
}

static void read_head(struct reader *reader, char *line)
{
	struct rule *rule = &reader->rule;
	*rule = (struct rule){ .action = SCMP_ACT_ALLOW, .applies = true };
	for (char *word = strtok(line + 1, " \n"); word; word = strtok(NULL, " \n")) {
		if (!strcmp(word, "errno"))
			rule->action = SCMP_ACT_ERRNO((uint32_t)atoi(next()));
		else if (!strcmp(word, "cap"))
			rule->applies &= has_cap(reader, next());
		else if (!strcmp(word, "nocap"))
			rule->applies &= !has_cap(reader, next());
		else if (!strcmp(word, "on"))
			rule->applies &= is_among(next(), reader->machine);
		else if (!strcmp(word, "arg")) {
			const char *index = next(), *operator = next();
			read_condition(rule, index, operator, next());
		} else if (strcmp(word, "allow"))
			errx(2, "docker.rules: %s", word);
	}
}

/* The next call that a rule which applies is about; NULL: no more. */
static const char *next_name(struct reader *reader, char *line, int size, char **rest)
{
	for (;;) {
		char *word = *rest ? strtok_r(NULL, " \n", rest) : NULL;
		if (word)
			return word;
		if (!fgets(line, size, reader->file))
			return NULL;
		*rest = NULL;
		if (line[0] == '@') {
			read_head(reader, line);
		} else if (line[0] != '#' && reader->rule.applies) {
			word = strtok_r(line, " \n", rest);
			if (word)
				return word;
		}
	}
}

static FILE *open_rules(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file)
		err(2, "%s", path);
	return file;
}

bool docker_allows(const char *path, const char *machine, uint64_t caps, const char *wanted)
{
	struct reader reader = { .file = open_rules(path), .machine = machine, .caps = caps };
	char line[256], *rest = NULL;
	const char *name;
	bool found = false;
	while ((name = next_name(&reader, line, sizeof(line), &rest)))
		found |= !strcmp(name, wanted) && !reader.rule.count &&
			 reader.rule.action == SCMP_ACT_ALLOW;
	fclose(reader.file);
	return found;
}

static void add(scmp_filter_ctx ctx, const struct rule *rule, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);
	if (number == __NR_SCMP_ERROR)
		return; /* newer than this libseccomp */
	int r = seccomp_rule_add_array(ctx, rule->action, number, rule->count, &rule->condition);
	/* EDOM: the call is not to be had on one of the ABIs */
	if (r < 0 && r != -EDOM)
		errx(2, "libseccomp: %s: %s", name, strerror(-r));
}

static void export(scmp_filter_ctx ctx, struct docker_filter *filter)
{
	int file = memfd_create("filter", MFD_CLOEXEC);
	if (file < 0 || seccomp_export_bpf(ctx, file) < 0)
		errx(2, "export libseccomp's filter");
	ssize_t size = pread(file, filter->code, sizeof(filter->code), 0);
	if (size <= 0 || size == sizeof(filter->code))
		errx(2, "libseccomp's filter has %zd bytes", size);
	filter->length = (unsigned)((size_t)size / sizeof(*filter->code));
	close(file);
}

void docker_compile(struct docker_filter *filter, const char *path, const char *machine,
		    const uint32_t *abis, uint64_t caps, int optimize)
{
	struct reader reader = { .file = open_rules(path), .machine = machine, .caps = caps };
	char line[256], *rest = NULL;
	const char *name;
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool native = false;
	if (!ctx || seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, (uint32_t)optimize) < 0)
		errx(2, "libseccomp");
	for (; *abis; abis++) {
		native |= *abis == seccomp_arch_native();
		if (*abis != seccomp_arch_native() && seccomp_arch_add(ctx, *abis) < 0)
			errx(2, "libseccomp: architecture %#x", *abis);
	}
	if (!native && seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE) < 0)
		errx(2, "libseccomp: the native architecture");
	while ((name = next_name(&reader, line, sizeof(line), &rest)))
		add(ctx, &reader.rule, name);
	export(ctx, filter);
	seccomp_release(ctx);
	fclose(reader.file);
}

#include "launcher/spec/devices.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "rootfs/base/paths.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/*
 * docker's: making a node of anything, since having it is not opening it, and opening what cannot
 * hurt the host (Documentation/admin-guide/devices.txt of the kernel has the numbers).
 */
static const struct device_rule usual[] = {
	{ 'a', -1, -1, DEVICE_MKNOD },
	{ 'c', 1, 3, DEVICE_ALL },    /* null */
	{ 'c', 1, 5, DEVICE_ALL },    /* zero */
	{ 'c', 1, 7, DEVICE_ALL },    /* full */
	{ 'c', 1, 8, DEVICE_ALL },    /* random */
	{ 'c', 1, 9, DEVICE_ALL },    /* urandom */
	{ 'c', 5, 0, DEVICE_ALL },    /* tty */
	{ 'c', 5, 1, DEVICE_ALL },    /* console */
	{ 'c', 5, 2, DEVICE_ALL },    /* ptmx */
	{ 'c', 136, -1, DEVICE_ALL }, /* pts */
};

static int add_rule(struct devices *devices, const struct device_rule *rule)
{
	struct device_rule *grown = realloc(devices->rules, (devices->rule_count + 1) * sizeof(*grown));
	if (!grown)
		return fail("list the devices");
	devices->rules = grown;
	grown[devices->rule_count++] = *rule;
	return 0;
}

static int add_node(struct devices *devices, const char *source, const char *target,
		    const struct stat *stat_)
{
	struct device *grown = realloc(devices->nodes, (devices->node_count + 1) * sizeof(*grown));
	if (!grown)
		return fail("list the devices");
	devices->nodes = grown;
	grown[devices->node_count++] = (struct device){
		source, target, stat_->st_mode, stat_->st_rdev, stat_->st_uid, stat_->st_gid,
	};
	return 0;
}

/* Returns 0 for letters that there are not, twice or none. */
static unsigned parse_access(const char *letters)
{
	static const struct { char letter; unsigned access; } known[] = {
		{ 'r', DEVICE_READ }, { 'w', DEVICE_WRITE }, { 'm', DEVICE_MKNOD },
	};
	unsigned access = 0;
	for (; *letters; letters++) {
		size_t i = 0;
		while (i < 3 && known[i].letter != *letters)
			i++;
		if (i == 3 || access & known[i].access)
			return 0;
		access |= known[i].access;
	}
	return access;
}

/* "*" or a number; returns what stands behind it, or NULL. */
static const char *parse_number(const char *text, int64_t *number)
{
	char *end;
	*number = -1;
	if (*text == '*')
		return text + 1;
	*number = strtoll(text, &end, 10);
	return isdigit((unsigned char)*text) && *number <= UINT32_MAX ? end : NULL;
}

/* "c 188:* rwm", as devices.allow takes it. */
static int parse_rule(struct devices *devices, const char *word)
{
	struct device_rule rule = { .type = word[0] };
	const char *rest = NULL;
	if (word[0] && strchr("abc", word[0]) && word[1] == ' ')
		rest = parse_number(word + 2, &rule.major);
	if (rest && *rest == ':')
		rest = parse_number(rest + 1, &rule.minor);
	else
		rest = NULL;
	if (rest && *rest == ' ')
		rule.access = parse_access(rest + 1);
	if (!rule.access) {
		failx("--device-cgroup-rule: '%s' is not TYPE MAJOR:MINOR ACCESS", word);
		return hint("it is like 'c 188:* rwm'");
	}
	return add_rule(devices, &rule);
}

/* What a container has of its own, or what is no device but a link into /proc. */
static bool is_own(const char *name)
{
	static const char *const own[] = { "pts", "shm", "mqueue", "fd", "console", "ptmx" };
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (!strcmp(name, own[i]))
			return true;
	return name[0] == '.';
}

static int add(struct devices *, const char *source, const char *target, unsigned access);

static int add_directory(struct devices *devices, const char *source, const char *target,
			 unsigned access)
{
	int r = 0;
	DIR *dir = opendir(source);
	if (!dir)
		return fail("--device: open %s", source);
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		char *from, *to;
		if (is_own(entry->d_name) || (entry->d_type != DT_DIR && entry->d_type != DT_CHR &&
					      entry->d_type != DT_BLK))
			continue;
		if (asprintf(&from, "%s/%s", source, entry->d_name) < 0 ||
		    asprintf(&to, "%s/%s", target, entry->d_name) < 0)
			r = fail("list the devices");
		else
			r = add(devices, from, to, access);
	}
	closedir(dir);
	return r;
}

/* ACCESS 0: no rule. SOURCE and TARGET are kept. */
static int add(struct devices *devices, const char *source, const char *target, unsigned access)
{
	struct stat stat_;
	if (stat(source, &stat_) < 0) /* all of them: one may have gone since it was listed */
		return !access && errno == ENOENT ? 0 : fail("--device %s", source);
	if (S_ISDIR(stat_.st_mode))
		return add_directory(devices, source, target, access);
	if (!S_ISCHR(stat_.st_mode) && !S_ISBLK(stat_.st_mode))
		return failx("--device %s: it is no device", source);
	struct device_rule rule = { S_ISBLK(stat_.st_mode) ? 'b' : 'c', major(stat_.st_rdev),
				    minor(stat_.st_rdev), access };
	if (access && add_rule(devices, &rule) < 0)
		return -1;
	return add_node(devices, source, target, &stat_);
}

static int check_target(const char *word, const char *target)
{
	if (target[0] != '/' || !target[1] || strstr(target, "/../") ||
	    !strcmp(target + strlen(target) - 1, "/"))
		return failx("--device %s: '%s' is no absolute path of a file", word, target);
	return 0;
}

/* SOURCE[:TARGET][:ACCESS]; docker-run(1): ACCESS is rwm. */
static int parse_node(struct devices *devices, const char *word)
{
	char *text = strdup(word);
	if (!text)
		return fail("--device %s", word);
	char *source = strsep(&text, ":"), *target = source;
	char *letters = text;
	if (text && text[0] == '/') {
		target = strsep(&text, ":");
		letters = text;
	}
	unsigned access = letters ? parse_access(letters) : DEVICE_ALL;
	if (!access)
		return failx("--device %s: '%s' is not made of r, w and m", word, letters);
	if (source[0] != '/' || check_target(word, target) < 0)
		return failx("--device %s: '%s' is no absolute path", word, source);
	if (access != DEVICE_ALL)
		devices->wanted_by = "--device";
	return add(devices, source, target, access);
}

int devices_build(struct devices *devices, const struct strings *nodes, const struct strings *rules)
{
	*devices = (struct devices){ 0 };
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (add_rule(devices, &usual[i]) < 0)
			return -1;
	for (size_t i = 0; i < nodes->count; i++)
		if (parse_node(devices, nodes->at[i]) < 0)
			return -1;
	for (size_t i = 0; i < rules->count; i++)
		if (parse_rule(devices, rules->at[i]) < 0)
			return -1;
	if (rules->count)
		devices->wanted_by = "--device-cgroup-rule";
	return 0;
}

int devices_build_all(struct devices *devices, const struct strings *nodes)
{
	*devices = (struct devices){ 0 };
	for (size_t i = 0; i < nodes->count; i++)
		if (parse_node(devices, nodes->at[i]) < 0)
			return -1;
	free(devices->rules);
	devices->rules = NULL;
	devices->rule_count = 0;
	devices->wanted_by = NULL;
	return access("/dev", F_OK) == 0 ? add_directory(devices, "/dev", "/dev", 0) : 0;
}

int devices_allow_all(struct devices *devices)
{
	return add_rule(devices, &(struct device_rule){ 'a', -1, -1, DEVICE_ALL });
}

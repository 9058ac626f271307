#include "launcher/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/err.h"
#include "rootfs/scoped.h"

/* From 1 on, since 0 is the machine's root; (uint32_t)-1 is nobody's id. */
static bool parse_number(const char *text, uint32_t *number)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	*number = (uint32_t)value;
	return *text >= '0' && *text <= '9' && (!*end || *end == '\n') && !errno && value &&
	       value < UINT32_MAX;
}

/* "name:start:count" or "uid:start:count" */
static bool parse_range(char *line, const char *name, const char *number, struct id_range *range)
{
	const char *who = strsep(&line, ":"), *start = strsep(&line, ":");
	if (!line || !((name && !strcmp(who, name)) || (number && !strcmp(who, number))))
		return false;
	return parse_number(start, &range->start) && parse_number(line, &range->count) &&
	       range->count <= UINT32_MAX - range->start;
}

bool idmap_lookup(const char *path, const char *name, const char *number, struct id_range *range)
{
	char line[256];
	bool found = false;
	FILE *file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = parse_range(line, name, number, range);
	if (file)
		fclose(file);
	return found;
}

static int find_range(const char *path, const char *user, struct id_range *range)
{
	char number[16], *end;
	unsigned long id = strtoul(user, &end, 10);
	bool numeric = *user >= '0' && *user <= '9' && !*end;
	const struct passwd *entry = numeric ? getpwuid((uid_t)id) : getpwnam(user);
	snprintf(number, sizeof(number), "%lu", numeric ? id : entry ? entry->pw_uid : 0UL);
	if (idmap_lookup(path, numeric ? entry ? entry->pw_name : NULL : user,
			 numeric || entry ? number : NULL, range))
		return 0;
	failx("--userns: %s gives %s no ids", path, user);
	return hint("a line like %s:100000:65536 gives 65536 of them, from 100000 on", user);
}

int idmap_find(struct ids *ids, const char *user)
{
	if (find_range("/etc/subuid", user, &ids->users) < 0 ||
	    find_range("/etc/subgid", user, &ids->groups) < 0)
		return -1;
	return 0;
}

static int write_map(pid_t pid, const char *name, const struct id_range *range)
{
	char path[40], text[32];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	int n = snprintf(text, sizeof(text), "0 %u %u\n", range->start, range->count);
	scoped_fd file = open(path, O_WRONLY | O_CLOEXEC);
	/* In one write: user_namespaces(7) */
	if (file < 0 || write(file, text, (size_t)n) != n)
		return fail("map the container's ids: write %s", path);
	return 0;
}

int idmap_write(const struct ids *ids, pid_t pid)
{
	char path[40];
	if (write_map(pid, "uid_map", &ids->users) < 0 || write_map(pid, "gid_map", &ids->groups) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	int userns = open(path, O_RDONLY | O_CLOEXEC);
	return userns < 0 ? fail("open the container's user namespace") : userns;
}

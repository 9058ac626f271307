#include "launcher/rights/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

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

/* The kernel maps no id twice: of a range that meets an earlier one nothing is taken. */
static bool is_taken(const struct id_map *map, const struct id_range *range)
{
	for (size_t i = 0; i < map->range_count; i++)
		if (range->start < map->ranges[i].start + map->ranges[i].count &&
		    map->ranges[i].start < range->start + range->count)
			return true;
	return false;
}

static int add_range(struct id_map *map, const struct id_range *range)
{
	struct id_range *last = map->range_count ? &map->ranges[map->range_count - 1] : NULL;
	if (is_taken(map, range) || range->count > UINT32_MAX - map->count)
		return 0;
	if (last && last->start + last->count == range->start) {
		last->count += range->count;
	} else if (map->range_count < IDMAP_MAX) {
		struct id_range *grown = realloc(map->ranges, (map->range_count + 1) * sizeof(*grown));
		if (!grown)
			return fail("read the subordinate ids");
		map->ranges = grown;
		map->ranges[map->range_count++] = *range;
	} else {
		return 0;
	}
	map->start = map->ranges[0].start;
	map->count += range->count;
	return 0;
}

int idmap_lookup(const char *path, const char *name, const char *number, struct id_map *map)
{
	char line[256];
	struct id_range range;
	int r = 0;
	*map = (struct id_map){ .count = 0 };
	FILE *file = fopen(path, "re");
	while (file && r == 0 && fgets(line, sizeof(line), file))
		if (parse_range(line, name, number, &range))
			r = add_range(map, &range);
	if (file)
		fclose(file);
	return r < 0 ? -1 : map->count > 0;
}

bool idmap_has(const struct id_map *map, uint32_t id)
{
	for (size_t i = 0; i < map->range_count; i++)
		if (id >= map->ranges[i].start && id - map->ranges[i].start < map->ranges[i].count)
			return true;
	return false;
}

uint32_t idmap_outside(const struct id_map *map, uint32_t inside)
{
	for (size_t i = 0; i < map->range_count; i++) {
		if (inside < map->ranges[i].count)
			return map->ranges[i].start + inside;
		inside -= map->ranges[i].count;
	}
	return map->start;
}

static int find_ranges(const char *path, const char *user, struct id_map *map)
{
	char number[16], *end;
	unsigned long id = strtoul(user, &end, 10);
	bool numeric = *user >= '0' && *user <= '9' && !*end;
	const struct passwd *entry = numeric ? getpwuid((uid_t)id) : getpwnam(user);
	snprintf(number, sizeof(number), "%lu", numeric ? id : entry ? entry->pw_uid : 0UL);
	int r = idmap_lookup(path, numeric ? entry ? entry->pw_name : NULL : user,
			     numeric || entry ? number : NULL, map);
	if (r)
		return r < 0 ? -1 : 0;
	failx("--userns: %s gives %s no ids", path, user);
	return hint("a line like %s:100000:65536 gives 65536 of them, from 100000 on", user);
}

int idmap_find(struct ids *ids, const char *user)
{
	if (find_ranges("/etc/subuid", user, &ids->users) < 0 ||
	    find_ranges("/etc/subgid", user, &ids->groups) < 0)
		return -1;
	return 0;
}

static int write_map(pid_t pid, const char *name, const struct id_map *map)
{
	char path[40], text[IDMAP_MAX * IDMAP_LINE + 1];
	size_t n = 0;
	uint32_t inside = 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	for (size_t i = 0; i < map->range_count; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%u %u %u\n", inside, map->ranges[i].start,
				      map->ranges[i].count);
		inside += map->ranges[i].count;
	}
	scoped_fd file = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	/* In one write: user_namespaces(7) */
	if (file < 0 || write(file, text, n) != (ssize_t)n)
		return fail("map the container's ids: write %s", path);
	return 0;
}

int idmap_write(const struct ids *ids, pid_t pid)
{
	char path[40];
	if (write_map(pid, "uid_map", &ids->users) < 0 || write_map(pid, "gid_map", &ids->groups) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	int userns = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	return userns < 0 ? fail("open the container's user namespace") : userns;
}

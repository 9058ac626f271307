#include "launcher/rights/user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* passwd(5): name:password:UID:GID:comment:home:shell. group(5): name:password:GID:members. */
enum { NAME = 0, ID = 2, GID = 3, MEMBERS = 3, HOME = 5, FIELDS = 7 };

/* The image's author wrote these files: regular ones only, and a fifo must not block. */
static FILE *open_file(const char *path)
{
	struct stat stat;
	scoped_fd file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0 || fstat(file, &stat) < 0 || !S_ISREG(stat.st_mode))
		return NULL;
	FILE *stream = fdopen(file, "r");
	if (stream)
		take_fd(&file);
	return stream;
}

/* 0 … 2³²−2: (uid_t)-1 means "leave it" to the kernel. Returns -1 where TEXT is no number. */
static int64_t parse_id(const char *text)
{
	char *end;
	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	unsigned long long id = strtoull(text, &end, 10);
	return errno || *end || id >= UINT32_MAX ? -1 : (int64_t)id;
}

static bool split(char *line, char *fields[FIELDS])
{
	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < FIELDS; i++) {
		char *field = strsep(&line, ":");
		fields[i] = field ? field : "";
	}
	return *fields[NAME] && parse_id(fields[ID]) >= 0;
}

/* One of the two is looked for: NAME, or, where that is NULL, ID. */
struct key {
	const char *name;
	int64_t id;
};

static bool matches(char *const fields[FIELDS], const struct key *key)
{
	return key->name ? !strcmp(fields[NAME], key->name) : parse_id(fields[ID]) == key->id;
}

/* Returns whether there is such an entry, and its fields in LINE. */
static bool find_entry(const char *path, const struct key *key, char *line, int size,
		       char *fields[FIELDS])
{
	FILE *file = open_file(path);
	bool found = false;
	while (file && !found && fgets(line, size, file))
		found = split(line, fields) && matches(fields, key);
	if (file)
		fclose(file);
	return found;
}

static int find_user(struct user *user, const char *text, char name[256])
{
	char line[1024], *fields[FIELDS];
	struct key key = { .id = parse_id(text) };
	if (key.id < 0)
		key.name = text;
	bool found = find_entry("/etc/passwd", &key, line, sizeof(line), fields);
	if (!found && key.name)
		return failx("the user %s is not in the image's /etc/passwd", text);
	user->uid = found ? (uid_t)parse_id(fields[ID]) : (uid_t)key.id;
	int64_t gid = found ? parse_id(fields[GID]) : 0;
	user->gid = gid < 0 ? 0 : (gid_t)gid;
	const char *home = found && *fields[HOME] ? fields[HOME] : "/";
	snprintf(user->home, sizeof(user->home), "%s", home);
	snprintf(name, 256, "%s", found ? fields[NAME] : "");
	return 0;
}

static int find_group(gid_t *to, const char *text)
{
	char line[1024], *fields[FIELDS];
	int64_t gid = parse_id(text);
	struct key key = { .name = text };
	if (gid < 0 && !find_entry("/etc/group", &key, line, sizeof(line), fields))
		return failx("the group %s is not in the image's /etc/group", text);
	*to = (gid_t)(gid < 0 ? parse_id(fields[ID]) : gid);
	return 0;
}

int user_add_group(struct user *user, const char *text)
{
	if (user->group_count == USER_GROUPS_MAX)
		return failx("more than %d groups", USER_GROUPS_MAX);
	return find_group(&user->groups[user->group_count++], text);
}

static bool is_member(char *members, const char *name)
{
	for (char *member; (member = strsep(&members, ","));)
		if (!strcmp(member, name))
			return true;
	return false;
}

static void find_supplementary(struct user *user, const char *name)
{
	FILE *file = open_file("/etc/group");
	scoped_ptr char *line = NULL; /* a group may have any number of members */
	size_t size = 0;
	char *fields[FIELDS];
	while (file && user->group_count < USER_GROUPS_MAX && getline(&line, &size, file) > 0)
		if (split(line, fields) && is_member(fields[MEMBERS], name))
			user->groups[user->group_count++] = (gid_t)parse_id(fields[ID]);
	if (file)
		fclose(file);
}

int user_find(struct user *user, const char *text)
{
	char copy[512], name[256];
	*user = (struct user){ 0 };
	if (strlen(text) >= sizeof(copy))
		return failx("the user's name is too long: %s", text);
	strcpy(copy, text);
	char *group = copy;
	char *who = strsep(&group, ":");
	if (find_user(user, *who ? who : "0", name) < 0)
		return -1;
	if (group && *group)
		return find_group(&user->gid, group);
	if (*name)
		find_supplementary(user, name);
	return 0;
}

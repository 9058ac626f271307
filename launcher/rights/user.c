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
#include <sys/syscall.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/sys.h"

/* passwd(5): name:password:UID:GID:comment:home:shell. group(5): name:password:GID:members. */
enum { NAME = 0, ID = 2, GID = 3, MEMBERS = 3, HOME = 5, FIELDS = 7 };

/* As much as the list of a large organisation; the image's author may have written anything. */
enum { FILE_MAX = 4 << 20 };

/* Reads SIZE bytes and one more, which shows a file that has grown. */
static ssize_t read_whole(int file, char *text, size_t size)
{
	size_t done = 0;
	while (done <= size) {
		ssize_t n = read(file, text + done, size + 1 - done);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/*
 * The text of one of these files, "" where there is none; the caller's. Regular ones only, and a fifo must not
 * block. Returns NULL with a failure.
 */
static char *read_file(const char *path)
{
	struct stat stat;
	scoped_fd file = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool there = file >= 0 && fstat(file, &stat) == 0 && S_ISREG(stat.st_mode);
	size_t size = there ? (size_t)stat.st_size : 0;
	if (there && stat.st_size > FILE_MAX) {
		failx("the image's %s has %lld bytes: more than %d MiB are not read", path,
		      (long long)stat.st_size, FILE_MAX >> 20);
		return NULL;
	}
	scoped_ptr char *text = malloc(size + 2);
	ssize_t n = !text ? -1 : there ? read_whole(file, text, size) : 0;
	if (n < 0 || (size_t)n > size) {
		if (n < 0)
			fail("read the image's %s", path);
		else
			failx("the image's %s grows while it is read", path);
		return NULL;
	}
	text[n] = '\0';
	return take_ptr(&text);
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

/* The fields of the first entry in TEXT, which is cut up; false: there is none. */
static bool find_entry(char *text, const struct key *key, char *fields[FIELDS])
{
	for (char *line; (line = strsep(&text, "\n"));)
		if (split(line, fields) && matches(fields, key))
			return true;
	return false;
}

/* NAME, the caller's, is NULL where there is no entry. */
static int set_user(struct user *user, char *const fields[FIELDS], uid_t uid, bool found, char **name)
{
	int64_t gid = found ? parse_id(fields[GID]) : 0;
	const char *home = found && *fields[HOME] ? fields[HOME] : "/";
	user->uid = found ? (uid_t)parse_id(fields[ID]) : uid;
	user->gid = gid < 0 ? 0 : (gid_t)gid;
	if (strlen(home) >= sizeof(user->home))
		return failx("the home of user %u in the image's /etc/passwd is longer than a path can be", user->uid);
	strcpy(user->home, home);
	*name = found ? strdup(fields[NAME]) : NULL;
	return found && !*name ? fail("read the image's /etc/passwd") : 0;
}

static int find_user(struct user *user, const char *who, char **name)
{
	char *fields[FIELDS];
	struct key key = { .id = parse_id(who) };
	scoped_ptr char *text = read_file("/etc/passwd");
	if (!text)
		return -1;
	if (key.id < 0)
		key.name = who;
	bool found = find_entry(text, &key, fields);
	if (!found && key.name)
		return failx("the user %s is not in the image's /etc/passwd", who);
	return set_user(user, fields, (uid_t)key.id, found, name);
}

static int find_group(gid_t *to, const char *who)
{
	char *fields[FIELDS];
	int64_t gid = parse_id(who);
	struct key key = { .name = who };
	if (gid < 0) {
		scoped_ptr char *text = read_file("/etc/group");
		if (!text)
			return -1;
		if (!find_entry(text, &key, fields))
			return failx("the group %s is not in the image's /etc/group", who);
		gid = parse_id(fields[ID]);
	}
	*to = (gid_t)gid;
	return 0;
}

/* Each once. Returns false where there is no room for it. */
static bool add_group(struct user *user, gid_t gid)
{
	for (size_t i = 0; i < user->group_count; i++)
		if (user->groups[i] == gid)
			return true;
	if (user->group_count == USER_GROUPS_MAX)
		return false;
	user->groups[user->group_count++] = gid;
	return true;
}

int user_add_group(struct user *user, const char *text)
{
	gid_t gid;
	if (find_group(&gid, text) < 0)
		return -1;
	return add_group(user, gid) ? 0 : failx("more than %d groups", USER_GROUPS_MAX);
}

static bool is_member(char *members, const char *name)
{
	for (char *member; (member = strsep(&members, ","));)
		if (!strcmp(member, name))
			return true;
	return false;
}

static int find_supplementary(struct user *user, const char *name)
{
	char *fields[FIELDS];
	scoped_ptr char *text = read_file("/etc/group");
	if (!text)
		return -1;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		if (split(line, fields) && is_member(fields[MEMBERS], name) &&
		    !add_group(user, (gid_t)parse_id(fields[ID])))
			break;
	return 0;
}

int user_find(struct user *user, const char *text)
{
	char copy[512], *group = copy;
	scoped_ptr char *name = NULL;
	*user = (struct user){ 0 };
	if (strlen(text) >= sizeof(copy))
		return failx("the user's name is too long: %s", text);
	strcpy(copy, text);
	char *who = strsep(&group, ":");
	if (find_user(user, *who ? who : "0", &name) < 0)
		return -1;
	if (group && *group && find_group(&user->gid, group) < 0)
		return -1;
	/* The primary one first: who gives it up by setgid(2) has it still, as after a login (CVE-2022-36109). */
	add_group(user, user->gid);
	return name && !(group && *group) ? find_supplementary(user, name) : 0;
}

/* EPERM: in a user namespace with one id only, groups cannot be given up, nor taken (setgroups(2)). */
static int take_groups(const struct user *user, bool unprivileged)
{
	if (syscall(SYS_setgroups32, user->group_count, user->groups) == 0 || (errno == EPERM && unprivileged))
		return 0;
	return fail("take on the groups of user %u", user->uid);
}

int user_become(const struct user *user, bool unprivileged)
{
	if (take_groups(user, unprivileged) < 0)
		return -1;
	/* The libc's would tell other threads, of which there are none, at the cost of nine more calls. */
	if (syscall(SYS_setgid32, user->gid) == 0 && syscall(SYS_setuid32, user->uid) == 0)
		return 0;
	return fail("become user %u, group %u", user->uid, user->gid);
}

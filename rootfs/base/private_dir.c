#include "rootfs/base/private_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/paths.h"
#include "rootfs/base/openat2.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/userns.h"

/* Links followed on one way, as the kernel has it: path_resolution(7). */
enum { LINKS_MAX = 40, NOBODY = 65534 };

/*
 * In a user namespace root shows as nobody, and so do all who are not in it (user_namespaces(7)): there a link counts
 * as root's if it stands where others can make none.
 */
static bool is_trusted(const struct stat *link, const struct stat *above)
{
	if (link->st_uid == 0 || link->st_uid == geteuid())
		return true;
	return link->st_uid == NOBODY && !(above->st_mode & S_IWOTH) && userns_inside();
}

struct way {
	const char *what, *path; /* as it was named */
	char rest[PATH_MAX]; /* what is yet to be walked, without a slash before it */
	int links;
};

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* What LINK in the directory ABOVE says takes its place in the way. Returns where that goes on from. */
static int follow(struct way *way, int above, int link, const struct stat *stat)
{
	char text[PATH_MAX];
	struct stat dir;
	ssize_t n = fstat(above, &dir) < 0 ? -1 : readlinkat(link, "", text, sizeof(text) - 1);
	if (n < 0)
		return -1;
	text[n] = '\0';
	if (!is_trusted(stat, &dir)) {
		failx("%s %s: its way leads by a link to %s, which is user %u's", way->what, way->path, text,
		      stat->st_uid);
		return hint("name the directory that it leads to");
	}
	const char *relative = text + strspn(text, "/");
	size_t length = strlen(relative), rest = strlen(way->rest);
	if (++way->links > LINKS_MAX)
		return refuse(ELOOP);
	if (length + rest + 2 > sizeof(way->rest))
		return refuse(ENAMETOOLONG);
	memmove(way->rest + length + 1, way->rest, rest + 1);
	memcpy(way->rest, relative, length);
	way->rest[length] = '/';
	return *text == '/' ? openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC) : fcntl(above, F_DUPFD_CLOEXEC, 0);
}

/* One part on from the directory AT. Returns what the way goes on from, or -1 with errno. */
static int step(struct way *way, int at)
{
	char name[NAME_MAX + 1];
	struct stat stat;
	size_t length = strcspn(way->rest, "/"), next = length + strspn(way->rest + length, "/");
	if (length > NAME_MAX)
		return refuse(ENAMETOOLONG);
	snprintf(name, sizeof(name), "%.*s", (int)length, way->rest);
	memmove(way->rest, way->rest + next, strlen(way->rest + next) + 1);
	scoped_fd there = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (there < 0 || fstat(there, &stat) < 0)
		return -1;
	return S_ISLNK(stat.st_mode) ? follow(way, at, there, &stat) : take_fd(&there);
}

static int walk(const char *path, const char *what)
{
	struct way way = { .what = what, .path = path };
	if (strlen(path) >= sizeof(way.rest))
		return refuse(ENAMETOOLONG);
	strcpy(way.rest, path + strspn(path, "/"));
	scoped_fd at = openat(AT_FDCWD, *path == '/' ? "/" : ".", O_PATH | O_CLOEXEC);
	while (at >= 0 && *way.rest) {
		int next = step(&way, at);
		scoped_close(&at);
		at = next;
	}
	return at < 0 ? -1 : openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Mostly there is no link, and one call does. Returns -1 with errno, where a link is refused with a failure, too. */
static int open_way(const char *path, const char *what)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	int dir = sys_openat2(AT_FDCWD, path, &how);
	return dir >= 0 || errno != ELOOP ? dir : walk(path, what);
}

static int check(int dir, const char *path, mode_t refused, const char *what)
{
	struct stat st;
	if (fstat(dir, &st) < 0)
		return path_fail(what, path);
	if (st.st_uid != geteuid())
		return failx("%s %s: it belongs to user %u, not to %u", what, path, st.st_uid, geteuid());
	if (!(st.st_mode & refused))
		return 0;
	failx("%s %s: it is open to other users", what, path);
	return hint("chmod go-%s %s", refused & 044 ? "rwx" : "w", path);
}

int private_dir_open(const char *path, mode_t refused, const char *what)
{
	scoped_fd dir = open_way(path, what);
	if (dir < 0)
		return errno == ENOENT ? -1 : path_fail(what, path);
	return check(dir, path, refused, what) < 0 ? -1 : take_fd(&dir);
}

/* The directory that PATH is in, made where it is not there; *NAME is what it is called in it. */
static int open_above(const char *path, const char *what, const char **name)
{
	char above[PATH_MAX];
	size_t length = strlen(path);
	while (length > 1 && path[length - 1] == '/')
		length--;
	size_t start = length;
	while (start && path[start - 1] != '/')
		start--;
	*name = path + start;
	if (!start)
		return open_way(".", what);
	if (start >= sizeof(above)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(above, sizeof(above), "%.*s", (int)start, path);
	int dir = open_way(above, what);
	if (dir >= 0 || errno != ENOENT || start == 1)
		return dir;
	const char *last;
	scoped_fd higher = open_above(above, what, &last);
	if (higher < 0 || (mkdirat(higher, last, 0755) < 0 && errno != EEXIST))
		return -1;
	return open_way(above, what);
}

int private_dir_make(const char *path, const char *what)
{
	const char *name;
	scoped_fd above = open_above(path, what, &name);
	if (above >= 0 && mkdirat(above, name, 0700) == 0)
		return 1;
	/* An empty name: the directory is "/". EEXIST: it was there, or another wherry was first. */
	return above >= 0 && (errno == EEXIST || !*name) ? 0 : path_fail(what, path);
}

#include "launcher/mount/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/sys.h"
#include "rootfs/base/err.h"
#include "rootfs/base/paths.h"
#include "rootfs/base/scoped.h"

/* As the kernel: path_resolution(7). */
enum { LINKS_MAX = 40 };

/* The way to a place: what has been found, and what comes behind it. */
struct way {
	int root;              /* borrowed */
	uint64_t resolve;      /* of openat2(2), beside what always holds */
	char found[PATH_MAX];  /* begins with "/"; all of it is there, but the last part perhaps */
	size_t parent;         /* bytes of FOUND without its last part */
	char rest[PATH_MAX];
	int links;
};

/* Through none of /proc's own links: with --pid host one leads to the host's root. Returns -1 with errno. */
static int reach(int root, const char *path, uint64_t resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	return sys_openat2(root, path, &how);
}

static int too_long(void)
{
	errno = ENAMETOOLONG;
	return -1;
}

/* Moves the first part of REST to the end of FOUND; NAME gets it. */
static int step(struct way *way, char *name)
{
	size_t length = strcspn(way->rest, "/");
	size_t next = length + strspn(way->rest + length, "/");
	way->parent = strlen(way->found);
	if (length > NAME_MAX || way->parent + 1 + length >= sizeof(way->found))
		return too_long();
	snprintf(name, NAME_MAX + 1, "%.*s", (int)length, way->rest);
	sprintf(way->found + way->parent, "/%s", name);
	memmove(way->rest, way->rest + next, strlen(way->rest + next) + 1);
	return 0;
}

/* The link NAME in DIR leads to nothing: what it says takes its place in the way. Returns 0: it is no link. */
static int follow(struct way *way, int dir, const char *name)
{
	char link[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);
	if (n < 0)
		return 0;
	if (++way->links > LINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	link[n] = '\0';
	int length = snprintf(rest, sizeof(rest), "%s/%s", link + strspn(link, "/"), way->rest);
	if (length < 0 || (size_t)length >= sizeof(rest))
		return too_long();
	strcpy(way->rest, rest);
	way->found[link[0] == '/' ? 0 : way->parent] = '\0';
	return 1;
}

/* EEXIST: somebody who shares a volume was first. */
static int make(int dir, const char *name, bool directory)
{
	if (directory)
		return mkdirat(dir, name, 0755) < 0 && errno != EEXIST ? -1 : 0;
	scoped_fd file = openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);
	return file < 0 ? -1 : 0;
}

/* One part on. Returns what FOUND is then, or what the last part, NAME, is to be made in. */
static int advance(struct way *way, int dir, char *name)
{
	if (step(way, name) < 0)
		return -1;
	int there = reach(way->root, way->found, way->resolve);
	if (there >= 0 || errno != ENOENT) {
		*name = '\0';
		return there;
	}
	int followed = follow(way, dir, name);
	if (followed < 0)
		return -1;
	if (!followed && !*way->rest)
		return fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (!followed && make(dir, name, true) < 0)
		return -1;
	*name = '\0';
	return reach(way->root, *way->found ? way->found : "/", way->resolve);
}

static int walk(int root, const char *path, size_t length, uint64_t resolve, char *name)
{
	struct way way = { .root = root, .resolve = resolve };
	if (length >= sizeof(way.rest))
		return too_long();
	memcpy(way.rest, path, length);
	scoped_fd at = reach(root, "/", resolve);
	while (at >= 0 && *way.rest) {
		int next = advance(&way, at, name);
		scoped_close(&at);
		at = next;
	}
	return take_fd(&at);
}

static int find(int root, const char *path, uint64_t resolve, char *name)
{
	*name = '\0';
	path += strspn(path, "/");
	size_t length = strlen(path);
	/* Mostly it is there. A slash at its end would want a directory. */
	if (length && path[length - 1] != '/') {
		int there = reach(root, path, resolve);
		if (there >= 0 || errno != ENOENT)
			return there;
	}
	while (length && path[length - 1] == '/')
		length--;
	return walk(root, path, length, resolve, name);
}

int target_find(int root, const char *path, char *name)
{
	return find(root, path, 0, name);
}

/* What has just been made may have been replaced since by who shares the volume: it is looked at, not trusted. */
static int make_and_open(int dir, const char *name, bool directory)
{
	if (make(dir, name, directory) < 0)
		return -1;
	return openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

int target_open(const char *path, bool directory, uint64_t resolve, struct stat *there)
{
	char name[NAME_MAX + 1];
	scoped_fd root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	scoped_fd at = root < 0 ? -1 : find(root, path, resolve, name);
	if (at >= 0 && *name) {
		int made = make_and_open(at, name, directory);
		scoped_close(&at);
		at = made;
	}
	if (at < 0 && errno == ELOOP && resolve & RESOLVE_NO_SYMLINKS)
		return failx("make %s: there is a link in it, and below /proc, /sys and /dev none is followed", path);
	if (at < 0 && errno == ELOOP)
		return failx("make %s: its links go round in a circle, or one is /proc's own, which none may follow", path);
	if (at < 0 || fstat(at, there) < 0)
		return path_fail("make", path);
	if (S_ISDIR(there->st_mode) != directory || S_ISLNK(there->st_mode))
		return failx("%s is %s directory", path, directory ? "no" : "a");
	return take_fd(&at);
}

int target_make(const char *path, bool directory)
{
	struct stat there;
	scoped_fd place = target_open(path, directory, 0, &there);
	return place < 0 ? -1 : 0;
}

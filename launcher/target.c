#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/mounts.h"
#include "launcher/sys.h"
#include "rootfs/err.h"
#include "rootfs/scoped.h"

/* As the kernel: path_resolution(7). */
enum { LINKS_MAX = 40 };

static int make(const char *path, bool directory, int depth);

/* "/a/b" → "/a"; "/a" → "/". */
static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash && slash != path)
		*slash = '\0';
	else if (slash)
		slash[1] = '\0';
}

/*
 * Where the link PATH leads. The image's author wrote it; the root has been entered, so that it leads
 * nowhere but into the container.
 */
static int follow(const char *path, char *to, size_t size)
{
	char link[PATH_MAX];
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -1;
	link[n] = '\0';
	char parent[PATH_MAX];
	snprintf(parent, sizeof(parent), "%s", path);
	cut_last(parent);
	int m = link[0] == '/' ? snprintf(to, size, "%s", link)
			       : snprintf(to, size, "%s/%s", parent, link);
	if (m < 0 || (size_t)m >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* Through none of /proc's own links: with --pid host one leads to the host's root. Returns -1 with errno. */
static int reach(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
	return sys_openat2(AT_FDCWD, path, &how);
}

/* PATH's last part, in PARENT. */
static int make_here(const char *parent, const char *path, bool directory)
{
	const char *name = strrchr(path, '/') + 1;
	scoped_fd dir = reach(parent);
	if (dir < 0)
		return -1;
	if (directory)
		return mkdirat(dir, name, 0755) < 0 && errno != EEXIST ? -1 : 0;
	scoped_fd file = openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);
	return file < 0 ? -1 : 0;
}

/* Returns -1 with errno. */
static int make(const char *path, bool directory, int depth)
{
	char other[PATH_MAX];
	scoped_fd there = reach(path);
	if (there >= 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	if (depth > LINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	if (follow(path, other, sizeof(other)) == 0)
		return make(other, directory, depth + 1);
	if (strlen(path) >= sizeof(other)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(other, path);
	cut_last(other);
	if (make(other, true, depth + 1) < 0)
		return -1;
	return make_here(other, path, directory);
}

int mounts_target(const char *path, bool directory)
{
	char clean[PATH_MAX];
	size_t length = strlen(path);
	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length >= sizeof(clean))
		return failx("%s: the path is too long", path);
	memcpy(clean, path, length);
	clean[length] = '\0';
	struct stat stat_;
	if (make(clean, directory, 0) < 0 || stat(clean, &stat_) < 0)
		return fail("make %s", path);
	if (S_ISDIR(stat_.st_mode) != directory)
		return failx("%s is %s directory", path, directory ? "no" : "a");
	return 0;
}

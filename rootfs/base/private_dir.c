#include "rootfs/base/private_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/openat2.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/userns.h"

/* In a user namespace root's own links look like nobody's: there they are not told apart. */
static int check_links(const char *path, const char *what)
{
	char part[PATH_MAX];
	struct stat st;
	if (userns_inside() || (size_t)snprintf(part, sizeof(part), "%s", path) >= sizeof(part))
		return 0;
	for (char *end = part; *end;) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		char kept = *end;
		*end = '\0';
		if (lstat(part, &st) == 0 && S_ISLNK(st.st_mode) && st.st_uid && st.st_uid != geteuid()) {
			failx("%s %s: %s is a link of user %u's", what, path, part, st.st_uid);
			return hint("name the directory that it leads to");
		}
		*end = kept;
	}
	return 0;
}

static int check(int dir, const char *path, mode_t refused, const char *what)
{
	struct stat st;
	if (fstat(dir, &st) < 0)
		return fail("%s %s", what, path);
	if (st.st_uid != geteuid())
		return failx("%s %s: it belongs to user %u, not to %u", what, path, st.st_uid, geteuid());
	if (!(st.st_mode & refused))
		return 0;
	failx("%s %s: it is open to other users", what, path);
	return hint("chmod go-%s %s", refused & 044 ? "rwx" : "w", path);
}

int private_dir_open(const char *path, mode_t refused, const char *what)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	scoped_fd dir = sys_openat2(AT_FDCWD, path, &how);
	if (dir < 0 && errno == ELOOP) {
		if (check_links(path, what) < 0)
			return -1;
		how.resolve = 0;
		dir = sys_openat2(AT_FDCWD, path, &how);
	}
	if (dir < 0)
		return errno == ENOENT ? -1 : fail("%s %s", what, path);
	return check(dir, path, refused, what) < 0 ? -1 : take_fd(&dir);
}

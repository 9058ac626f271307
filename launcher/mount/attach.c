#include "launcher/mount/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "rootfs/base/scoped.h"
#include "rootfs/base/sys.h"

/* mount(2) takes no descriptor, but follows a link of procfs to one: that procfs is our own, whatever /proc is by now. */
int attach_change(const struct mounts *mounts, int tree, unsigned long flags)
{
	char path[32];
	snprintf(path, sizeof(path), "self/fd/%d", tree);
	return fchdir(mounts->proc) < 0 ? -1 : mount(NULL, path, NULL, flags, NULL);
}

/* A remount sets all flags anew. ST_RDONLY and its kin have the values of MS_RDONLY's (statvfs(3)). */
static int seal(const struct mounts *mounts, int tree, unsigned long flags)
{
	struct statvfs now;
	if (fstatvfs(tree, &now) < 0)
		return -1;
	flags |= now.f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
	return attach_change(mounts, tree, MS_REMOUNT | MS_BIND | flags);
}

/* proc(5): in mountinfo a space, a tab, a newline and a backslash are three octal digits. */
static void unescape(char *text)
{
	char *to = text;
	for (; *text; text++) {
		int escaped = text[0] == '\\' && text[1] && text[2] && text[3];
		*to++ = escaped ? (char)strtol((char[]){ text[1], text[2], text[3], '\0' }, NULL, 8) : *text;
		text += escaped ? 3 : 0;
	}
	*to = '\0';
}

/* The mount at PATH, if that is below TREE, which is at TOP. What is covered by another mount there can't be reached. */
static int seal_if_below(const struct mounts *mounts, int tree, const char *top, const char *path, unsigned long flags)
{
	size_t length = strlen(top);
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	if (strncmp(path, top, length) || path[length] != '/')
		return 0;
	scoped_fd below = sys_openat2(tree, path + length + 1, &how);
	if (below < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	return seal(mounts, below, flags);
}

/* Before Linux 5.12 each of TREE's mounts by itself, as /proc/self/mountinfo lists them. */
static int seal_each(const struct mounts *mounts, int tree, unsigned long flags)
{
	char link[32], top[PATH_MAX], path[PATH_MAX];
	scoped_ptr char *line = NULL;
	size_t size = 0;
	snprintf(link, sizeof(link), "self/fd/%d", tree);
	ssize_t n = readlinkat(mounts->proc, link, top, sizeof(top) - 1);
	if (n < 0 || seal(mounts, tree, flags) < 0)
		return -1;
	top[n] = '\0';
	int info = openat(mounts->proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *stream = info < 0 ? NULL : fdopen(info, "r");
	if (!stream) {
		scoped_close(&info);
		return -1;
	}
	int result = 0;
	while (result == 0 && getline(&line, &size, stream) > 0)
		if (sscanf(line, "%*s %*s %*s %*s %4095s", path) == 1) {
			unescape(path);
			result = seal_if_below(mounts, tree, top, path, flags);
		}
	fclose(stream);
	return result;
}

int attach(const struct mounts *mounts, int tree, int place, unsigned long flags)
{
	/* MOUNT_ATTR_RDONLY and its kin have the values of MS_RDONLY's, too. */
	struct mount_attr attr = { .attr_set = flags };
	bool later = false;
	if (flags && syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0) {
		if (errno != ENOSYS)
			return -1;
		later = true;
	}
	if (sys_move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -1;
	return later ? seal_each(mounts, tree, flags) : 0;
}

#include "launcher/cgroup/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "launcher/cgroup/file.h"
#include "rootfs/base/scoped.h"

/*
 * With --pid host no PID namespace ends what is left in the container: whoever is in its cgroup when its
 * init is gone is that.
 */
static void kill_members(int dir)
{
	char text[4096];
	if (cgroup_read(dir, "cgroup.procs", text, sizeof(text)) <= 0)
		return;
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		pid_t pid = (pid_t)strtol(line, NULL, 10);
		if (pid > 0) /* 0: one that our PID namespace doesn't show */
			kill(pid, SIGKILL);
	}
}

/* The first cgroup in DIR; false: there is none. */
static bool find_child(int dir, char name[NAME_MAX + 1])
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	bool found = false;
	if (!stream) {
		scoped_close(&fd);
		return false;
	}
	for (struct dirent *entry; !found && (entry = readdir(stream));)
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
			strcpy(name, entry->d_name);
			found = true;
		}
	closedir(stream);
	return found;
}

/* DIR becomes what NAME leads to from there. */
static bool go(int *dir, const char *name)
{
	int next = openat(*dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(*dir);
	*dir = next;
	return next >= 0;
}

/*
 * Whoever had rights over its own cgroup may have made others in it, as deep as it liked: one descriptor
 * goes down to where there are no more, and back up.
 */
static void empty(int parent, const char *name)
{
	char child[NAME_MAX + 1];
	scoped_fd at = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t depth = 0; at >= 0;) {
		kill_members(at);
		if (find_child(at, child)) {
			depth += go(&at, child);
			continue;
		}
		if (!depth-- || !go(&at, "..") || !find_child(at, child) || unlinkat(at, child, AT_REMOVEDIR) < 0)
			return;
	}
}

/*
 * The last process has been reaped, but the kernel lets go of a dying task's cgroup a moment later:
 * EBUSY for up to a few milliseconds.
 */
int cgroup_remove(int parent, const char *name)
{
	for (int tries = 0; tries < 100; tries++) {
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return -1;
		empty(parent, name);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	errno = EBUSY;
	return -1;
}

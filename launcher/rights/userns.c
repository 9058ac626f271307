#include "launcher/rights/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/rights/ids.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

static bool find_ranges(const char *path, uid_t uid, struct id_map *map)
{
	char number[16];
	const struct passwd *user = getpwuid(uid);
	snprintf(number, sizeof(number), "%u", uid);
	return idmap_lookup(path, user ? user->pw_name : NULL, number, map) > 0;
}

/* newuidmap PID 0 UID 1, and 1 START COUNT for each range. Returns whether it did its work. */
static bool run_mapper(const char *program, pid_t target, unsigned id, const struct id_map *map)
{
	enum { WORDS = 4 + 3 * IDMAP_MAX };
	char words[WORDS][12], *argv[WORDS + 2] = { (char *)program };
	uint32_t numbers[WORDS] = { (uint32_t)target, 0, id, 1 }, inside = 1;
	size_t n = 4;
	for (size_t i = 0; i < map->range_count; i++) {
		numbers[n++] = inside;
		numbers[n++] = map->ranges[i].start;
		numbers[n++] = map->ranges[i].count;
		inside += map->ranges[i].count;
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(words[i], sizeof(words[i]), "%u", numbers[i]);
		argv[i + 1] = words[i];
	}
	pid_t child = fork();
	if (child == 0) {
		execvp(program, argv);
		_exit(EXIT_NOT_FOUND);
	}
	int status;
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/*
 * The mapper has to stand outside the namespace that it maps: it is forked before, and waits for a
 * byte that says that the namespace is there. Ends with 0 where both maps are written.
 */
static _Noreturn void map_from_outside(int go, pid_t target, uid_t uid, gid_t gid)
{
	char byte;
	struct id_map uids, gids;
	if (read(go, &byte, 1) != 1)
		_exit(1);
	_exit(find_ranges("/etc/subuid", uid, &uids) && find_ranges("/etc/subgid", uid, &gids) &&
	      run_mapper("newuidmap", target, uid, &uids) &&
	      run_mapper("newgidmap", target, gid, &gids) ? 0 : 1);
}

static int write_text(const char *path, const char *text)
{
	scoped_fd file = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	if (file < 0 || write(file, text, strlen(text)) < 0)
		return fail("write %s", path);
	return 0;
}

/* What everybody may do: one id. setgroups has to be given up first (user_namespaces(7)). */
static int map_self(uid_t uid, gid_t gid)
{
	char text[32];
	snprintf(text, sizeof(text), "0 %u 1", uid);
	if (write_text("/proc/self/setgroups", "deny") < 0 || write_text("/proc/self/uid_map", text) < 0)
		return -1;
	snprintf(text, sizeof(text), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", text);
}

static int enter(void)
{
	if (unshare(CLONE_NEWUSER) == 0)
		return 0;
	bool forbidden = errno == EPERM || errno == ENOSPC || errno == EINVAL || errno == ENOSYS;
	fail("make a user namespace");
	if (forbidden)
		hint("this kernel keeps them from users: run wherry as root, or see "
		     "user.max_user_namespaces and kernel.unprivileged_userns_clone in sysctl -a");
	return -1;
}

static int become_root(void)
{
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return fail("become root in the user namespace");
	return 0;
}

int userns_enter(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	pid_t self = getpid();
	int go[2], status;
	if (pipe2(go, O_CLOEXEC) < 0)
		return fail("make a pipe");
	scoped_fd wait = go[0];
	scoped_fd tell = go[1];
	pid_t mapper = fork();
	if (mapper < 0)
		return fail("start a process");
	if (mapper == 0) {
		close(take_fd(&tell));
		map_from_outside(wait, self, uid, gid);
	}
	int entered = enter();
	if (entered == 0 && write(tell, "", 1) != 1)
		entered = fail("map the users");
	close(take_fd(&tell));
	if (waitpid(mapper, &status, 0) < 0 || entered < 0)
		return -1;
	if (status != 0 && map_self(uid, gid) < 0)
		return -1;
	/* The ids are root's now; the maps say so, the credentials follow. */
	return become_root();
}

int userns_become_root(void)
{
	if (setgroups(0, NULL) < 0)
		return fail("leave the host's groups");
	return become_root();
}

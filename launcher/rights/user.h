/* Who the program runs as, by the container's own passwd and group files. */
#ifndef LAUNCHER_RIGHTS_USER_H
#define LAUNCHER_RIGHTS_USER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { USER_GROUPS_MAX = 256 };

struct user {
	uid_t uid;
	gid_t gid;
	gid_t groups[USER_GROUPS_MAX]; /* supplementary, the primary one among them */
	size_t group_count;
	char home[PATH_MAX];
};

/*
 * Resolves what --user and the image's User say: "", NAME, UID, each with ":GROUP" or ":GID". "" is
 * root. As docker-run(1): a number needs no entry in passwd (its group is 0 then, its home /), a
 * name does; supplementary groups come from the group file unless a group is given.
 * Reads /etc/passwd and /etc/group, of a few MiB at most: after root_enter. Returns 0, or -1 with a failure.
 */
int user_find(struct user *, const char *text);

/* One more supplementary group, by name or number. As user_find. */
int user_add_group(struct user *, const char *text);

/*
 * The calling process, which has one thread, becomes that user, with its groups; UNPRIVILEGED: without them where the
 * kernel keeps groups from an ordinary user's namespace. Returns 0, or -1 with a failure.
 */
int user_become(const struct user *, bool unprivileged);

#endif

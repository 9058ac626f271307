/* The way to root in a user namespace. */
#ifndef LAUNCHER_RIGHTS_USERNS_H
#define LAUNCHER_RIGHTS_USERNS_H

#include <stdbool.h>

/*
 * Moves the calling process into a user namespace where the caller is root. Their subordinate ids of
 * /etc/subuid and /etc/subgid follow, from id 1 on, where newuidmap(1) and newgidmap(1) are there;
 * otherwise the caller's own id is the only one. Returns 0, or -1 with a failure.
 */
int userns_enter(void);

/*
 * In a user namespace that others have mapped: the calling process, which has one thread, becomes its
 * root, in no other groups. Returns 0, or -1 with a failure.
 */
int userns_become_root(void);

#endif

/* Subordinate ids: which ones a user has, and that a user namespace has them. */
#ifndef LAUNCHER_IDMAP_H
#define LAUNCHER_IDMAP_H

#include <sys/types.h>

#include "launcher/spec.h"

/*
 * The first range that PATH, a subuid(5), gives the user of that NAME or NUMBER, either of them NULL
 * where there is none. Returns whether it gives one.
 */
bool idmap_lookup(const char *path, const char *name, const char *number, struct id_range *);

/* Those of USER, a name or a number, in /etc/subuid and /etc/subgid. Returns 0; -1 with a failure. */
int idmap_find(struct ids *, const char *user);

/*
 * Maps the ids from 0 on of the user namespace that PID has made to IDS. By root, from outside, once.
 * Returns a descriptor of that namespace, the caller's; -1 with a failure.
 */
int idmap_write(const struct ids *, pid_t pid);

#endif

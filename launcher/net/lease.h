/*
 * Addresses that are in use: STATE/.bridge/ADDRESS, a file locked by its container's supervisor for as long as that
 * lives. It holds the container's name. The directory's own lock is held by who takes or frees one.
 */
#ifndef LAUNCHER_NET_LEASE_H
#define LAUNCHER_NET_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/* The directory below STATE, which is made, locked until it is closed. -1 with a failure. */
int leases_open(const char *state);

/* Whether there is such a directory. */
bool leases_exist(const char *state);

/* The same with OPERATION of flock(2), where there is one; otherwise -1, no failure recorded. */
int leases_lock(const char *state, int operation);

/* The file, locked; -1 with EWOULDBLOCK where ADDRESS is in use, which is no failure yet, or with a failure. */
int lease_take(int leases, const char *address, const char *name);

/* With the leases' lock held. What holds its file's lock closes that as well. */
void lease_free(int leases, const char *address);

/* The number, from 2 to COUNT - 1, that NAME asks for first: always the same one. */
uint32_t lease_first(const char *name, uint32_t count);

/*
 * Removes those whose supervisors are gone, each after FREE(ADDRESS, ARGUMENT). Returns whether there are others; it
 * looks no further once it has seen one unless ALL.
 */
enum leases_look { LEASES_ANY, LEASES_ALL };
bool leases_sweep(int leases, enum leases_look, void (*free)(const char *address, void *), void *argument);

/* Removes the empty directory. */
void leases_remove(const char *state);

#endif

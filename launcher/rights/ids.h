/* Subordinate ids: which ones a user has, and that a user namespace has them. */
#ifndef LAUNCHER_RIGHTS_IDS_H
#define LAUNCHER_RIGHTS_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct id_range {
	uint32_t start, count;
};

/* The container's ids 0 to COUNT-1 are those of the RANGES outside, one behind the other. COUNT 0: they are the same. */
struct id_map {
	uint32_t start, count; /* START: of the first range, where root is */
	struct id_range *ranges;
	size_t range_count;
};

struct ids {
	struct id_map users, groups; /* both or neither */
};

/*
 * How many ranges are used. The kernel takes 340 lines (user_namespaces(7)), but all of them in one write
 * of less than a page: 4,095 bytes, where a line may have three numbers of ten digits.
 */
enum { IDMAP_LINE = 33, IDMAP_MAX = 4095 / IDMAP_LINE };

/*
 * The ranges that PATH, a subuid(5), gives the user of that NAME or NUMBER, either of them NULL where there
 * is none, in the file's order, what is adjacent as one. Their memory is the caller's. Returns 1; 0 where there
 * are none; -1 with a failure.
 */
int idmap_lookup(const char *path, const char *name, const char *number, struct id_map *);

/* Whether ID, outside, is one of the container's; and which one its INSIDE is outside: root's where it has none. */
bool idmap_has(const struct id_map *, uint32_t id);
uint32_t idmap_outside(const struct id_map *, uint32_t inside);

/* Those of USER, a name or a number, in /etc/subuid and /etc/subgid. Returns 0; -1 with a failure. */
int idmap_find(struct ids *, const char *user);

/*
 * Maps the ids from 0 on of the user namespace that PID has made to IDS. By root, from outside, once.
 * Returns a descriptor of that namespace, the caller's; -1 with a failure.
 */
int idmap_write(const struct ids *, pid_t pid);

#endif

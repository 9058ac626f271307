/* What a container may use of the machine, as the options have it. */
#ifndef LAUNCHER_SPEC_LIMITS_H
#define LAUNCHER_SPEC_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "launcher/command/options.h"

/* In the order in which they are set: v1 wants memory before swap, and a period before its quota. */
enum limit_kind {
	LIMIT_MEMORY,      /* bytes */
	LIMIT_SWAP,        /* bytes of memory and swap together, as --memory-swap has it */
	LIMIT_RESERVATION, /* bytes */
	LIMIT_HIGH,        /* bytes */
	LIMIT_SWAPPINESS,  /* text: 0 to 100 */
	LIMIT_CPU_PERIOD,  /* microseconds */
	LIMIT_CPU,         /* microseconds in each period */
	LIMIT_CPU_SHARES,  /* 2 to 262144, against others' 1024 */
	LIMIT_CPUSET_CPUS, /* text: 0-2,5 */
	LIMIT_CPUSET_MEMS, /* text */
	LIMIT_PIDS,        /* tasks */
	LIMIT_BLKIO_WEIGHT, /* 10 to 1000 */
	LIMIT_READ_BPS,    /* rates */
	LIMIT_WRITE_BPS,
	LIMIT_READ_IOPS,
	LIMIT_WRITE_IOPS,
	LIMIT_COUNT
};

/* So many bytes or operations a second, of one disk. */
struct rate {
	dev_t device;
	int64_t value;
};

struct rates {
	struct rate *at;
	size_t count;
};

/* A limit is in one of the three, by its kind; 0, NULL and empty: not limited. */
struct limits {
	int64_t value[LIMIT_COUNT]; /* -1: no limit, asked for in so many words */
	const char *text[LIMIT_COUNT];
	struct rates rates[LIMIT_COUNT];
	int64_t cpus;         /* --cpus, until limits_settle: microseconds in a period of 100,000 */
	bool swap_by_default; /* SWAP follows from MEMORY: a kernel that doesn't account it is no error */
};

/* Setters for rows; the range of what they take is in a table here, by the option's name. */
int option_cpus(const struct option *, void *field, const char *value);    /* int64_t */
int option_limit(const struct option *, void *field, const char *value);   /* int64_t; a number */
int option_swap(const struct option *, void *field, const char *value);    /* int64_t; -1 or a size */
int option_swappiness(const struct option *, void *field, const char *value); /* const char * */
int option_cpuset(const struct option *, void *field, const char *value);  /* const char * */
int option_rate(const struct option *, void *field, const char *value);    /* struct rates */

/* Checks what belongs together, and fills in what follows. Returns 0, or -1 with a failure. */
int limits_settle(struct limits *);

bool limits_has(const struct limits *, enum limit_kind);

#endif

/* What a container may use of the machine, as the options have it. */
#ifndef LAUNCHER_SPEC_LIMITS_H
#define LAUNCHER_SPEC_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/* What a limit or the report needs. DEVICES is no controller on v2: every cgroup there takes programs. */
enum controller {
	CONTROLLER_MEMORY,
	CONTROLLER_CPU,
	CONTROLLER_CPUSET,
	CONTROLLER_PIDS,
	CONTROLLER_IO,
	CONTROLLER_DEVICES,
	CONTROLLER_COUNT
};

/* How a limit is written into its file. */
enum limit_form {
	LIMIT_AS_NUMBER,
	LIMIT_AS_SWAP, /* v1: with memory, v2: without */
	LIMIT_AS_PERIOD,
	LIMIT_AS_QUOTA,
	LIMIT_AS_SHARES, /* v2: as a weight */
	LIMIT_AS_TEXT,
	LIMIT_AS_WEIGHT,    /* disks': cgroup/weight.c */
	LIMIT_AS_BYTE_RATE, /* of a disk; v2: a word of io.max */
	LIMIT_AS_RATE,
};

/* A limit: what its option takes, and where the kernel wants it. */
struct limit {
	const char *option;  /* without its dashes */
	int64_t least, most; /* of a number; MOST 0: the option has no range. 0 is as if it weren't given. */
	bool unlimited;      /* -1 is taken too */
	enum controller controller;
	enum limit_form form;
	const char *v1, *v2; /* its file in either dialect; NULL: that has none */
	const char *needs;   /* what provides the file, where that isn't plain */
};

/* By enum limit_kind. */
extern const struct limit limit_table[];

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

/* Checks what belongs together, and fills in what follows. Returns 0, or -1 with a failure. */
int limits_settle(struct limits *);

bool limits_has(const struct limits *, enum limit_kind);

/* The option that has set it, without its dashes: --cpus for --cpu-quota where that was given. */
const char *limits_option(const struct limits *, enum limit_kind);

#endif

/* Resource limits of single processes: --ulimit. */
#ifndef LAUNCHER_RLIMITS_H
#define LAUNCHER_RLIMITS_H

#include <stdint.h>

struct rlimit_word {
	int resource;        /* RLIMIT_… */
	uint64_t soft, hard; /* in the resource's own unit, getrlimit(2) */
	const char *word;    /* as given: for messages */
};

/* "NAME=SOFT[:HARD]", "unlimited" or -1 for none. Returns 0, or -1 with a failure. */
int rlimit_parse(struct rlimit_word *, const char *word);

/* For the calling process and what it executes; raising one wants CAP_SYS_RESOURCE. */
int rlimit_set(const struct rlimit_word *);

#endif

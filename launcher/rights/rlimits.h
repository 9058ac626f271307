/* Resource limits of single processes: --ulimit. */
#ifndef LAUNCHER_RIGHTS_RLIMITS_H
#define LAUNCHER_RIGHTS_RLIMITS_H

#include <stdint.h>
#include <sys/types.h>

struct rlimit_word {
	int resource;        /* RLIMIT_… */
	uint64_t soft, hard; /* in the resource's own unit, getrlimit(2) */
	const char *word;    /* as given: for messages */
};

/* "NAME=SOFT[:HARD]", "unlimited" or -1 for none. Returns 0, or -1 with a failure. */
int rlimit_parse(struct rlimit_word *, const char *word);

/* For the calling process and what it executes; raising one wants CAP_SYS_RESOURCE. */
int rlimit_set(const struct rlimit_word *);

/*
 * Raises the hard limit of PID, which has no right to do so itself, where rlimit_set would have to. Its soft
 * one stays. Returns 0, or -1 with a failure.
 */
int rlimit_allow(const struct rlimit_word *, pid_t pid);

#endif

/* What somebody may have meant who mistyped a word. */
#ifndef LAUNCHER_COMMAND_NEAREST_H
#define LAUNCHER_COMMAND_NEAREST_H

#include <stddef.h>

/* The best so far; zero is none. */
struct nearest {
	const char *word;
	size_t distance;
};

/* Looks at one more WORD that could be meant by the LENGTH bytes of TYPED: two letters may be wrong, half of them at most. */
void nearest_offer(struct nearest *, const char *typed, size_t length, const char *word);

#endif

#include "tests/fuzz/slow.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Nanoseconds, with sanitizers: seeds take 0.1 s and 1 µs a byte at most, and a busy machine adds to that. */
enum { PER_INPUT = 1000000000, PER_BYTE = 20000 };

static struct timespec begun;

void slow_begin(void)
{
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
}

void slow_end(size_t size)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	double took = 1e9 * (double)(now.tv_sec - begun.tv_sec) + (double)(now.tv_nsec - begun.tv_nsec);
	if (took <= PER_INPUT + (double)PER_BYTE * (double)size)
		return;
	fprintf(stderr, "slow: %.2f s for %zu bytes\n", took / 1e9, size);
	abort();
}

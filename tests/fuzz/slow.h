/* No input may take more processor time than its length is worth: otherwise the fuzzer is told of a crash. */
#ifndef TESTS_FUZZ_SLOW_H
#define TESTS_FUZZ_SLOW_H

#include <stddef.h>

/* At an input's beginning and end, SIZE bytes of it. */
void slow_begin(void);
void slow_end(size_t size);

#endif

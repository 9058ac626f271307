/* TAP for unit tests: a program is a table of cases, tap_ok() for each, and tap_finish(). */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdbool.h>

/* Prints one result; the text is the sentence that documents the case. */
void tap_ok(bool passed, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints the plan; returns main's exit status. */
int tap_finish(void);

#endif

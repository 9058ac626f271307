#include "tests/lib/tap.h"

#include <stdarg.h>
#include <stdio.h>

static int count, failed;

void tap_ok(bool passed, const char *fmt, ...)
{
	va_list words;
	count++;
	failed += !passed;
	printf("%s %d - ", passed ? "ok" : "not ok", count);
	va_start(words, fmt);
	vprintf(fmt, words);
	va_end(words);
	putchar('\n');
	/* A program that crashes later has still said what went before. */
	fflush(stdout);
}

int tap_finish(void)
{
	printf("1..%d\n", count);
	return failed || !count;
}

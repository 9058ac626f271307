#include "tests/lib/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int count, failed, left_out;

/* By -n of tests/run, if it says anything. */
static bool chosen(const char *sentence)
{
	const char *only = getenv("TEST_ONLY");
	return !only || strcasestr(sentence, only);
}

void tap_ok(bool passed, const char *fmt, ...)
{
	char sentence[1024];
	va_list words;
	va_start(words, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, words);
	va_end(words);
	if (!chosen(sentence)) {
		left_out++;
		return;
	}
	count++;
	failed += !passed;
	printf("%s %d - %s\n", passed ? "ok" : "not ok", count, sentence);
	/* A program that crashes later has still said what went before. */
	fflush(stdout);
}

int tap_finish(void)
{
	printf("1..%d\n", count);
	return failed || !(count + left_out);
}

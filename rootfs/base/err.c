#include "rootfs/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct failure failure;

/*
 * Control characters and escape sequences from a name in a hostile image would
 * rewrite a person's terminal; bytes over 127 stay, they may be UTF-8. Not where one
 * is a control character itself, or the end of one in UTF-8: U+009B is ESC [.
 */
static void make_printable(char *text, char but)
{
	unsigned char before = 0;
	for (; *text; text++) {
		unsigned char c = *text;
		bool upper = c >= 0x80 && c < 0xa0 && (before < 0x80 || before == 0xc2);
		if ((c < ' ' && c != but) || c == 127 || upper)
			*text = '?';
		before = c;
	}
}

__attribute__((format(printf, 3, 0)))
static int record(int status, int err, const char *fmt, va_list args)
{
	if (failure.status)
		return -1;
	failure.status = status;
	int n = vsnprintf(failure.text, sizeof(failure.text), fmt, args);
	if (err && n >= 0 && (size_t)n < sizeof(failure.text))
		snprintf(failure.text + n, sizeof(failure.text) - n, ": %s", strerror(err));
	make_printable(failure.text, '\0');
	if (err == EFBIG)
		hint("`ulimit -f` says how large a file of this process may be, and the file system has a limit too");
	return -1;
}

int fail(const char *fmt, ...)
{
	int err = errno;
	va_list args;
	va_start(args, fmt);
	record(EXIT_WHERRY, err, fmt, args);
	va_end(args);
	return -1;
}

int failx(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	record(EXIT_WHERRY, 0, fmt, args);
	va_end(args);
	return -1;
}

int fail_status(int status, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	record(status, 0, fmt, args);
	va_end(args);
	return -1;
}

int hint(const char *fmt, ...)
{
	if (failure.hint[0])
		return -1;
	va_list args;
	va_start(args, fmt);
	vsnprintf(failure.hint, sizeof(failure.hint), fmt, args);
	va_end(args);
	make_printable(failure.hint, '\n');
	return -1;
}

/* One write, so that lines of two processes don't mix. */
static void print_line(const char *text)
{
	char line[sizeof("wherry: \n") + sizeof(failure.text)];
	int n = snprintf(line, sizeof(line), "wherry: %s\n", text);
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nobody reads: there is nowhere left to say so */
}

void warn(const char *fmt, ...)
{
	char text[sizeof(failure.text)];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	make_printable(text, '\0');
	print_line(text);
}

const struct failure *failure_get(void)
{
	return &failure;
}

int failure_take(const struct failure *other)
{
	if (!failure.status) {
		failure = *other;
		failure.text[sizeof(failure.text) - 1] = '\0';
		failure.hint[sizeof(failure.hint) - 1] = '\0';
		make_printable(failure.text, '\0');
		make_printable(failure.hint, '\0');
	}
	return -1;
}

void failure_clear(void)
{
	failure = (struct failure){ 0 };
}

int failure_print(void)
{
	if (!failure.status)
		failx("stopped without a reason");
	print_line(failure.text);
	for (char *rest = failure.hint; *rest;) {
		char line[sizeof(failure.text)];
		size_t length = strcspn(rest, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)length, rest);
		print_line(line);
		rest += length + (rest[length] == '\n');
	}
	return failure.status;
}

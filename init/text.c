/* Words and numbers, in and out, without a libc. */
#include "init/init.h"

/* Number, then text: what strerror(3) says for what can happen to an init. */
static const char errors[] =
	"\x01" "Operation not permitted\0"
	"\x02" "No such file or directory\0"
	"\x05" "Input/output error\0"
	"\x07" "Argument list too long\0"
	"\x08" "Exec format error\0"
	"\x0b" "Resource temporarily unavailable\0"
	"\x0c" "Cannot allocate memory\0"
	"\x0d" "Permission denied\0"
	"\x10" "Device or resource busy\0"
	"\x13" "No such device\0"
	"\x14" "Not a directory\0"
	"\x16" "Invalid argument\0"
	"\x1a" "Text file busy\0"
	"\x1e" "Read-only file system\0"
	"\x24" "File name too long\0"
	"\x28" "Too many levels of symbolic links\0";

char *append(char *at, const char *end, const char *text)
{
	while (*text && at < end)
		*at++ = *text++;
	return at;
}

char *append_number(char *at, const char *end, unsigned number)
{
	if (number > 9)
		at = append_number(at, end, number / 10);
	return append(at, end, (char[]){ '0' + number % 10, 0 });
}

const char *next_string(const char *string)
{
	while (*string++)
		;
	return string;
}

const char *next_word(const char *word)
{
	while (*word && *word != '\n')
		word++;
	return word + 1;
}

static char *append_error(char *at, const char *end, int error)
{
	for (const char *row = errors; *row; row = next_word(row))
		if (*row == error)
			return append(at, end, row + 1);
	return append_number(append(at, end, "error "), end, error);
}

int read_number(const char **at)
{
	const char *start = *at;
	int number = 0;

	/* Nine digits cannot overflow; what follows them is no number of ours. */
	while (**at >= '0' && **at <= '9' && *at < start + 9)
		number = number * 10 + *(*at)++ - '0';
	return *at == start ? -1 : number;
}

bool begins(const char *word, const char *name, const char **end)
{
	while (*name > ' ')
		if (*word++ != *name++)
			return false;
	*end = word;
	return true;
}

int find_word(const char *lines, const char *word, const char **end)
{
	for (int i = 0; *lines; i++, lines = next_word(lines))
		if (begins(word, lines, end))
			return i;
	return -1;
}

void put(int fd, const void *data, size_t size)
{
	static const struct __kernel_timespec at_once;
	const sigbits pipe = SIGBIT(SIGPIPE);

	/* The kernel sends it to the thread that writes, and gives a thread its own first. */
	if (sys_write(fd, data, size) == -EPIPE)
		sys_sigtimedwait(&pipe, NULL, &at_once);
}

void say(const char *what, const char *name, int error)
{
	char line[512], *end = line + sizeof(line) - 64, *at = line;

	at = append(at, end, "wherry-init: ");
	at = append(at, end, what);
	at = append(at, end, name);
	end = line + sizeof(line) - 1;
	if (error)
		at = append_error(append(at, end, ": "), end, error);
	*at++ = '\n';
	put(2, line, at - line);
}

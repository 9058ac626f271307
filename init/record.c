/*
 * /wherry.run: the command line that a packed image is started with, where the kernel's own
 * names no program. Words that each end in NUL: options, the program, its arguments.
 */
#include "init/machine.h"

char **record_read(void)
{
	static const char file[] = "/wherry.run";
	enum { SIZE = 1 << 17 };
	static LARGE char text[SIZE];
	static LARGE char *words[SIZE + 2]; /* as many as there can be; argv[-1], and NULL at the end */
	char **word = words + 1;
	long size = read_file(file, text, sizeof(text));

	if (size < 0)
		refuse("no program given, and ", file, -size);
	for (const char *at = text; at < text + size; at = next_string(at))
		*word++ = (char *)at;
	return words + 1;
}

/*
 * /wherry.run: the command line that a packed image is started with, where the kernel's own
 * names no program. Words that each end in NUL: options, the program, its arguments.
 */
#include "init/machine.h"

char **record_read(void)
{
	static const char file[] = "/wherry.run";
	static LARGE char text[1 << 17];
	static LARGE char *words[4096 + 2]; /* the first is argv[-1], the last NULL */
	char **word = words + 1;
	long size = read_file(file, text, sizeof(text));

	if (size < 0)
		refuse("no program given, and ", file, -size);
	for (const char *at = text; at < text + size && word < words + 4096 + 1; at = next_word(at))
		*word++ = (char *)at;
	return words + 1;
}

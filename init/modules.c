/* Kernel modules, in the order of a list: a path on each line, then perhaps parameters. */
#include "init/machine.h"

#define DECOMPRESS 4 /* MODULE_INIT_COMPRESSED_FILE, Linux 5.17 */

/* LINE is "PATH" or "PATH PARAMETERS". */
static void load(char *line)
{
	char *parameters = line, last = 0;
	int fd;
	long error;

	while (*parameters && *parameters != ' ')
		last = *parameters++;
	if (*parameters)
		*parameters++ = 0;
	error = fd = sys_open(line, O_RDONLY);
	if (fd >= 0) {
		/* .ko, or .ko.xz and the like */
		error = syscall3(__NR_finit_module, fd, (long)parameters,
				 last == 'o' ? 0 : DECOMPRESS);
		sys_close(fd);
	}
	if (error < 0 && error != -EEXIST)
		say("module ", line, -error);
}

void modules_load(const char *list)
{
	static LARGE char text[1 << 16];
	long size;

	if (!list)
		return;
	size = read_file(list, text, sizeof(text));
	if (size < 0)
		say("", list, -size);
	for (char *line = text, *next; *line; line = next) {
		next = (char *)next_word(line);
		next[-1] = 0;
		if (*line && *line != '#')
			load(line);
	}
}

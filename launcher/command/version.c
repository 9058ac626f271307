#include <stdio.h>
#include <sys/utsname.h>

#include "launcher/command/commands.h"

static const struct option options[] = { { 0 } };

static int run(const struct globals *globals, int argc, char **argv)
{
	struct utsname machine;
	char **operands;
	(void)globals;
	int r = options_parse(&version_command, NULL, argc, argv, &operands);
	if (r)
		return r < 0 ? -1 : 0;
	printf("wherry %s\n", WHERRY_VERSION);
	if (uname(&machine) == 0)
		printf("%s %s %s\n", machine.sysname, machine.release, machine.machine);
	return 0;
}

const struct command version_command = {
	"version", "", "Print wherry's version and the kernel's", options, 0, 0, run, NULL,
};

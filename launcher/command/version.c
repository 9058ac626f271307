#include <stdio.h>
#include <sys/utsname.h>

#include "launcher/command/commands.h"

static const struct option options[] = { { 0 } };

static int run(const struct globals *globals, void *words, char **operands)
{
	struct utsname machine;
	(void)globals, (void)words, (void)operands;
	printf("wherry %s\n", WHERRY_VERSION);
	if (uname(&machine) == 0)
		printf("%s %s %s\n", machine.sysname, machine.release, machine.machine);
	return 0;
}

const struct command version_command = {
	.name = "version",
	.operands = "",
	.summary = "Print wherry's version and the kernel's",
	.options = options,
	.run = run,
};

#include "launcher/paths.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/err.h"

char *path_absolute(const char *path)
{
	char here[PATH_MAX], *joined = NULL;
	if (path[0] == '/')
		joined = strdup(path);
	else if (!getcwd(here, sizeof(here)) || asprintf(&joined, "%s/%s", here, path) < 0)
		joined = NULL;
	if (!joined)
		fail("find %s", path);
	return joined;
}

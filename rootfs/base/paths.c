#include "rootfs/base/paths.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/base/err.h"

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

char *path_clean(const char *path)
{
	char *clean = path_absolute(path);
	if (!clean)
		return NULL;
	char *to = clean;
	for (const char *part = clean; *(part += strspn(part, "/"));) {
		size_t length = strcspn(part, "/");
		if (length == 2 && !strncmp(part, "..", 2)) {
			while (to > clean && *--to != '/')
				;
		} else if (length != 1 || *part != '.') {
			*to++ = '/';
			memmove(to, part, length);
			to += length;
		}
		part += length;
	}
	if (to == clean)
		*to++ = '/';
	*to = '\0';
	return clean;
}

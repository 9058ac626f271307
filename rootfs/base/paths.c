#include "rootfs/base/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/err.h"

bool path_is_one(const char *word)
{
	size_t dots = strspn(word, ".");
	return dots <= 2 && (word[dots] == '/' || (dots && !word[dots]));
}

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

char *path_split(const char *word, const char **ref)
{
	struct stat st;
	char *file = strdup(word);
	*ref = NULL;
	if (!file)
		fail("name %s", word);
	if (!file || stat(file, &st) == 0)
		return file;
	for (char *colon = file; (colon = strchr(colon, ':')); colon++) {
		*colon = '\0';
		if (colon[1] && stat(file, &st) == 0) {
			*ref = word + (colon + 1 - file);
			return file;
		}
		*colon = ':';
	}
	return file;
}

int path_fail(const char *what, const char *path)
{
	char part[PATH_MAX];
	struct stat st;
	int error = errno;
	for (size_t end = 1; error == ENOTDIR && path[end - 1] && end < sizeof(part); end++) {
		if (path[end] && path[end] != '/')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)end, path);
		if (stat(part, &st) == 0 && !S_ISDIR(st.st_mode))
			return failx("%s %s: %s is not a directory", what, path, part);
	}
	errno = error;
	return fail("%s %s", what, path);
}

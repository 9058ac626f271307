#include "launcher/spec/environment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

static size_t name_length(const char *assignment)
{
	return strcspn(assignment, "=");
}

static char **find(const struct environment *environment, const char *name, size_t length)
{
	for (size_t i = 0; i < environment->count; i++)
		if (!strncmp(environment->at[i], name, length) && environment->at[i][length] == '=')
			return &environment->at[i];
	return NULL;
}

int environment_put(struct environment *environment, char *assignment)
{
	char **old = find(environment, assignment, name_length(assignment));
	if (old) {
		*old = assignment;
		return 0;
	}
	char **grown = realloc(environment->at, (environment->count + 2) * sizeof(*grown));
	if (!grown)
		return fail("set %s", assignment);
	grown[environment->count++] = assignment;
	grown[environment->count] = NULL;
	environment->at = grown;
	return 0;
}

int environment_add(struct environment *environment, const char *word)
{
	size_t length = name_length(word);
	if (!length)
		return failx("--env: '%s' has no name", word);
	if (word[length] == '=')
		return environment_put(environment, (char *)word);
	const char *value = getenv(word);
	if (!value)
		return 0;
	/* What getenv returns stands behind "NAME=" in the process's own environment. */
	return environment_put(environment, (char *)value - length - 1);
}

/* docker-run(1): a mark of the byte order before the first line is none of it. */
static const char *behind_mark(const char *line)
{
	static const char mark[] = "\xef\xbb\xbf";
	return strncmp(line, mark, sizeof(mark) - 1) ? line : line + sizeof(mark) - 1;
}

static int add_line(struct environment *environment, const char *path, const char *line)
{
	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return 0;
	size_t length = name_length(line);
	if (!length || strcspn(line, " \t") < length)
		return failx("--env-file %s: '%s' is no variable's name", path, line);
	char *copy = strdup(line);
	if (!copy)
		return fail("--env-file %s", path);
	return environment_add(environment, copy);
}

int environment_add_file(struct environment *environment, const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return fail("--env-file %s", path);
	scoped_ptr char *line = NULL;
	size_t size = 0;
	int result = 0;
	bool first = true;
	while (result == 0 && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		result = add_line(environment, path, first ? behind_mark(line) : line);
		first = false;
	}
	if (result == 0 && ferror(file))
		result = fail("--env-file %s", path);
	fclose(file);
	return result;
}

const char *environment_get(const struct environment *environment, const char *name)
{
	size_t length = strlen(name);
	char **found = find(environment, name, length);
	return found ? *found + length + 1 : NULL;
}

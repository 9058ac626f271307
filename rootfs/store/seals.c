#include "rootfs/store/seals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/proc.h"
#include "rootfs/base/scoped.h"

enum { SEALS_MAX = 4 << 20, LINE_MAX_BYTES = PATH_MAX + 256 };

static int append(struct seals *seals, const char *line)
{
	size_t size = strlen(line);
	char *grown = realloc(seals->text, seals->size + size + 1);
	if (!grown)
		return fail("note what the index is made of");
	memcpy(grown + seals->size, line, size + 1);
	seals->text = grown;
	seals->size += size;
	return 0;
}

int seals_add(struct seals *seals, const char *word, const char *value)
{
	char line[LINE_MAX_BYTES];
	if ((size_t)snprintf(line, sizeof(line), "%s %s\n", word, value) >= sizeof(line))
		return failx("%.100s…: the path is too long", value);
	return append(seals, line);
}

/* Returns -1 with errno. */
static int describe(const char *kind, int file, char *line, size_t size)
{
	struct stat st;
	char path[PATH_MAX];
	if (proc_path(file, path, sizeof(path)) < 0 || fstat(file, &st) < 0)
		return -1;
	snprintf(line, size, "%s %llu %llu %lld %lld.%09ld %lld.%09ld %s\n", kind,
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, (long long)st.st_size,
		 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
		 st.st_ctim.tv_nsec, path);
	return 0;
}

int seals_add_file(struct seals *seals, const char *kind, int file)
{
	char line[LINE_MAX_BYTES];
	if (describe(kind, file, line, sizeof(line)) < 0)
		return fail("note what the index is made of");
	if (strchr(line, '\n') != line + strlen(line) - 1)
		return failx("the archive's path has a newline in it");
	return append(seals, line);
}

int seals_read(struct seals *seals, int dir)
{
	struct stat st;
	*seals = (struct seals){ NULL, 0 };
	scoped_fd file = openat(dir, "seals", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT ? 0 : fail("open the seals of an index");
	if (fstat(file, &st) < 0 || st.st_size > SEALS_MAX)
		return failx("the seals of an index are too large");
	seals->text = malloc(st.st_size + 1);
	if (!seals->text || read(file, seals->text, st.st_size) != st.st_size)
		return fail("read the seals of an index");
	seals->text[st.st_size] = '\0';
	seals->size = st.st_size;
	return 1;
}

char *seals_get(const struct seals *seals, const char *word)
{
	size_t length = strlen(word);
	for (const char *line = seals->text, *end; (end = strchr(line, '\n')); line = end + 1)
		if (!strncmp(line, word, length) && line[length] == ' ')
			return strndup(line + length + 1, end - line - length - 1);
	return NULL;
}

/* The path is what follows the sixth space. */
static int open_named(const char *line)
{
	char path[PATH_MAX];
	for (int i = 0; i < 6 && line; i++) {
		line = strchr(line, ' ');
		line += line != NULL;
	}
	size_t length = line ? strcspn(line, "\n") : 0;
	if (!length || length >= sizeof(path))
		return -1;
	memcpy(path, line, length);
	path[length] = '\0';
	return openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static int keep(int **files, size_t *count, int file)
{
	int *grown = realloc(*files, (*count + 1) * sizeof(*grown));
	if (!grown)
		return fail("open the archive");
	grown[(*count)++] = file;
	*files = grown;
	return 0;
}

static int check_line(const char *line, const char *kind, int **files, size_t *count)
{
	char now[LINE_MAX_BYTES];
	scoped_fd file = open_named(line);
	if (file < 0 || describe(kind, file, now, sizeof(now)) < 0 || strncmp(now, line, strlen(now)))
		return 0;
	if (!files || strcmp(kind, "layer"))
		return 1;
	return keep(files, count, take_fd(&file)) < 0 ? -1 : 1;
}

int seals_check(const struct seals *seals, int **files, size_t *count)
{
	int same = 1;
	for (const char *line = seals->text, *end; same > 0 && (end = strchr(line, '\n')); line = end + 1) {
		if (!strncmp(line, "layer ", 6))
			same = check_line(line, "layer", files, count);
		else if (!strncmp(line, "document ", 9))
			same = check_line(line, "document", files, count);
	}
	return same;
}

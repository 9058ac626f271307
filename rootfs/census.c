#include "rootfs/census.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/path.h"

static int count_in(int dir, int depth, uint64_t *names, uint64_t *content);

static int count_one(int dir, const char *name, int depth, uint64_t *names, uint64_t *content)
{
	struct stat st;
	++*names;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (S_ISREG(st.st_mode))
		*content += st.st_size / st.st_nlink;
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth == PATH_DEPTH) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* O_NOATIME: reading a directory must not change its times */
	int below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
	return below < 0 ? -1 : count_in(below, depth + 1, names, content);
}

/* Closes DIR. */
static int count_in(int dir, int depth, uint64_t *names, uint64_t *content)
{
	DIR *stream = fdopendir(dir);
	int result = 0;
	if (!stream) {
		close(dir);
		return -1;
	}
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			result = count_one(dir, entry->d_name, depth, names, content);
	closedir(stream);
	return result;
}

int census_take(int root, uint64_t *names, uint64_t *content)
{
	*names = *content = 0;
	int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_NOATIME | O_CLOEXEC);
	return dir < 0 ? -1 : count_in(dir, 0, names, content);
}

#include "rootfs/layer/census.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/layer/checksum.h"
#include "rootfs/layer/links.h"
#include "rootfs/layer/path.h"
#include "rootfs/base/scoped.h"

struct counter {
	struct census *census;
	bool reads;
	struct links links; /* files with several names that have been read */
};

/* O_NOATIME: reading must not change its times. */
static int open_quietly(int dir, const char *name, int flags)
{
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | flags);
}

/* ENXIO: there are no data any more, lseek(2). */
static int read_file(struct counter *counter, int dir, const char *name)
{
	static unsigned char buffer[65536];
	scoped_fd file = open_quietly(dir, name, O_NONBLOCK);
	if (file < 0)
		return -1;
	for (off_t at = 0; (at = lseek(file, at, SEEK_DATA)) >= 0;) {
		ssize_t n = pread(file, buffer, sizeof(buffer), at);
		if (n <= 0)
			return (int)n;
		counter->census->sum += checksum_of(at, buffer, n);
		at += n;
	}
	return errno == ENXIO ? 0 : -1;
}

/* Whether it is read by this name: by the first one of several. Returns 1, 0, or -1. */
static int is_due(struct counter *counter, const struct stat *st)
{
	if (st->st_nlink == 1)
		return 1;
	if (links_find(&counter->links, st))
		return 0;
	return links_add(&counter->links, st, counter) < 0 ? -1 : 1;
}

static int count_file(struct counter *counter, int dir, const char *name, const struct stat *st)
{
	counter->census->content += st->st_size / st->st_nlink;
	int due = counter->reads ? is_due(counter, st) : 0;
	return due <= 0 ? due : read_file(counter, dir, name);
}

static int count_in(struct counter *counter, int dir, int depth);

static int count_one(struct counter *counter, int dir, const char *name, int depth)
{
	struct stat st;
	counter->census->names++;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (S_ISREG(st.st_mode))
		return count_file(counter, dir, name, &st);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth == PATH_DEPTH) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int below = open_quietly(dir, name, O_DIRECTORY);
	return below < 0 ? -1 : count_in(counter, below, depth + 1);
}

/* Closes DIR. */
static int count_in(struct counter *counter, int dir, int depth)
{
	DIR *stream = fdopendir(dir);
	int result = 0;
	if (!stream) {
		close(dir);
		return -1;
	}
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			result = count_one(counter, dir, entry->d_name, depth);
	int err = errno;
	closedir(stream);
	errno = err;
	return result;
}

static int count(int root, struct counter *counter)
{
	*counter->census = (struct census){ 0 };
	int dir = open_quietly(root, ".", O_DIRECTORY);
	int result = dir < 0 ? -1 : count_in(counter, dir, 0);
	links_free(&counter->links, NULL);
	return result;
}

int census_take(int root, struct census *census)
{
	struct counter counter = { .census = census };
	return count(root, &counter);
}

int census_read(int root, struct census *census)
{
	struct counter counter = { .census = census, .reads = true };
	return count(root, &counter);
}

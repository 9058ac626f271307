#include "rootfs/store/chain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "rootfs/layer/attributes.h"
#include "rootfs/layer/path.h"
#include "rootfs/layer/whiteout.h"
#include "rootfs/base/blob.h"
#include "rootfs/base/err.h"
#include "rootfs/base/openat2.h"
#include "rootfs/base/scoped.h"

void chain_ids(const struct digest *diff_ids, int count, struct digest *chains)
{
	char text[2 * sizeof("sha256:") + 2 * DIGEST_HEX];
	for (int i = 0; i < count; i++) {
		chains[i] = diff_ids[i];
		if (i == 0)
			continue;
		int size = snprintf(text, sizeof(text), "sha256:%s sha256:%s", chains[i - 1].hex,
				    diff_ids[i].hex);
		chains[i] = sha256_of(text, size);
	}
}

static int open_beneath(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	return sys_openat2(root, path, &how);
}

static int copy_metadata(int from, int to, const char *path)
{
	struct stat st;
	if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
	    fchmod(to, st.st_mode & 07777) < 0 || attributes_copy(from, to) < 0)
		return fail("%.400s: give it what the layer below has", path);
	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	return futimens(to, times) < 0 ? fail("%.400s: set its times", path) : 0;
}

static int complete_one(int top, const char *path, struct merged *merged, const struct chain_layer *below)
{
	/* What has taken its place since is no business of ours. */
	scoped_fd to = open_beneath(top, path, O_RDONLY | O_DIRECTORY);
	if (to < 0)
		return 0;
	int number = merged_find(merged, path);
	if (number < 0)
		return number == MERGED_NONE ? 0 : -1;
	scoped_fd from = open_beneath(below[number].dir, path, O_RDONLY | O_DIRECTORY);
	return from < 0 ? fail("%.400s: open it in the layer below", path) : copy_metadata(from, to, path);
}

/* A path and those above it, from the first that was implied on: tree.h, struct tree, implied. */
static int complete_path(int top, char *path, struct merged *merged, const struct chain_layer *below)
{
	char *end;
	long implied = strtol(path, &end, 10), depth = 1;
	path = *end == '/' ? end + 1 : end;
	for (const char *at = path; (at = strchr(at, '/')); at++)
		depth++;
	for (char *slash = path; slash; slash++, depth--) {
		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		if (depth <= implied && complete_one(top, path, merged, below) < 0)
			return -1;
		if (!slash)
			return 0;
		*slash = '/';
	}
	return 0;
}

/* By their paths, behind the number: neighbours stand together. */
static int compare_paths(const void *left, const void *right)
{
	const unsigned char *a = (const unsigned char *)strchr(*(char *const *)left, '/'),
			    *b = (const unsigned char *)strchr(*(char *const *)right, '/');
	for (; *a && *a == *b; a++)
		b++;
	/* A slash comes before any other byte, so that what is below a directory follows it. */
	return *a == *b ? 0 : !*a || (*b && *a == '/') ? -1 : !*b || *b == '/' ? 1 : *a < *b ? -1 : 1;
}

/* Points at each of the names in TEXT, SIZE bytes. Returns how many, or -1. */
static ssize_t list_paths(char *text, size_t size, char ***paths)
{
	size_t count = 0;
	for (size_t i = 0; i < size; i++)
		count += !text[i];
	*paths = calloc(count + 1, sizeof(**paths));
	if (!*paths)
		return fail("read the names of directories");
	count = 0;
	for (char *at = text; at < text + size; at += strlen(at) + 1)
		if (strchr(at, '/'))
			(*paths)[count++] = at;
	qsort(*paths, count, sizeof(**paths), compare_paths);
	return (ssize_t)count;
}

int chain_complete(int top, int implied, const struct chain_layer *below, int count, unsigned *asked)
{
	struct stat st;
	if (fstat(implied, &st) < 0)
		return fail("read the names of directories");
	scoped_ptr char *text = malloc(st.st_size + 1);
	scoped_ptr char **paths = NULL;
	const struct blob blob = { implied, 0, st.st_size };
	if (!text || blob_read(&blob, 0, text, st.st_size) != st.st_size)
		return fail("read the names of directories");
	text[st.st_size] = '\0';
	ssize_t path_count = list_paths(text, st.st_size, &paths);
	struct merged *merged = path_count < 0 ? NULL : merged_open(below, count, asked);
	int result = merged ? 0 : -1;
	for (ssize_t i = 0; i < path_count && result == 0; i++)
		result = complete_path(top, paths[i], merged, below);
	merged_close(merged);
	return result;
}

struct drop {
	struct merged *merged;
	int dropped;
	char path[PATH_BYTES + 1]; /* of the directory at hand; "": the root */
};

static int drop_in(struct drop *drop, int dir);

static int drop_below(struct drop *drop, int dir, const char *name)
{
	size_t used = strlen(drop->path);
	int more = snprintf(drop->path + used, sizeof(drop->path) - used, "%s%s", used ? "/" : "",
			    name);
	int result = -1;
	errno = ENAMETOOLONG;
	if ((size_t)more < sizeof(drop->path) - used) {
		scoped_fd below = open_beneath(dir, name, O_RDONLY | O_DIRECTORY | O_NOATIME);
		result = below < 0 ? -1 : drop_in(drop, below);
	}
	drop->path[used] = '\0';
	return result;
}

/* Whether DIR is merged is asked once, if it has a whiteout; the root always is, with the upper. */
static int drop_in(struct drop *drop, int dir)
{
	struct stat before, st;
	int merged = *drop->path ? -1 : 1, result = fstat(dir, &before), dropped = drop->dropped;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_NOATIME | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream)
		return -1;
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		result = fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW);
		if (result == 0 && S_ISDIR(st.st_mode))
			result = drop_below(drop, dir, entry->d_name);
		else if (result == 0 && whiteout_is_one(&st)) {
			if (merged < 0)
				merged = merged_find(drop->merged, drop->path);
			bool stays = merged >= 0;
			result = stays ? 0 : merged == MERGED_FAILED ? -1 : unlinkat(dir, entry->d_name, 0);
			drop->dropped += !stays;
		}
	}
	closedir(stream);
	const struct timespec times[2] = { before.st_atim, before.st_mtim };
	return result < 0 || dropped == drop->dropped ? result : futimens(dir, times);
}

int chain_drop_whiteouts(int top, const struct chain_layer *below, int count, unsigned *asked)
{
	struct drop drop = { .merged = merged_open(below, count, asked) };
	if (!drop.merged)
		return -1;
	int result = drop_in(&drop, top);
	merged_close(drop.merged);
	return result < 0 ? fail("look for whiteouts of nothing") : drop.dropped;
}

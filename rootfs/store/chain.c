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
#include "rootfs/base/err.h"
#include "rootfs/base/openat2.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/userns.h"

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

enum seen { SEEN_DIRECTORY, SEEN_NOTHING, SEEN_END };

/*
 * What a layer has at PATH: that directory; nothing, so that one looks further down; or something
 * that hides all below (a whiteout, a file, an opaque directory on the way).
 */
static enum seen look(int root, const char *path, int *found)
{
	char way[PATH_BYTES + 1];
	snprintf(way, sizeof(way), "%s", path);
	for (char *slash = way;;) {
		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		scoped_fd at = open_beneath(root, way, O_RDONLY | O_DIRECTORY);
		if (at < 0)
			return errno == ENOENT ? SEEN_NOTHING : SEEN_END;
		if (!slash) {
			*found = take_fd(&at);
			return SEEN_DIRECTORY;
		}
		/* What this opaque directory lacks, no layer below can add. */
		*slash = '/';
		scoped_fd whole = open_beneath(root, path, O_PATH);
		if (whole < 0 && fgetxattr(at, userns_overlay_opaque(), NULL, 0) >= 0)
			return SEEN_END;
		slash++;
	}
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

static int complete_one(int top, const char *path, const struct chain_layer *below, int count)
{
	/* What has taken its place since is no business of ours. */
	scoped_fd to = open_beneath(top, path, O_RDONLY | O_DIRECTORY);
	if (to < 0)
		return 0;
	for (int i = count - 1; i >= 0; i--) {
		int found = -1;
		enum seen seen = look(below[i].dir, path, &found);
		scoped_fd from = found;
		if (seen == SEEN_DIRECTORY)
			return copy_metadata(from, to, path);
		if (seen == SEEN_END || below[i].opaque_root)
			return 0;
	}
	return 0;
}

int chain_complete(int top, int implied, const struct chain_layer *below, int count)
{
	scoped_ptr char *line = NULL;
	size_t room = 0;
	FILE *names = fdopen(dup(implied), "r");
	if (!names)
		return fail("read the names of directories");
	int result = 0;
	while (result == 0 && getdelim(&line, &room, '\0', names) > 0)
		result = complete_one(top, line, below, count);
	fclose(names);
	return result;
}

static bool is_merged(const char *path, const struct chain_layer *below, int count)
{
	for (int i = count - 1; i >= 0; i--) {
		int found = -1;
		enum seen seen = look(below[i].dir, path, &found);
		scoped_close(&found);
		if (seen != SEEN_NOTHING)
			return seen == SEEN_DIRECTORY;
		if (below[i].opaque_root)
			return false;
	}
	return false;
}

struct drop {
	const struct chain_layer *below;
	int count;
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
		else if (result == 0 && tree_is_whiteout(&st)) {
			if (merged < 0)
				merged = is_merged(drop->path, drop->below, drop->count);
			result = merged ? 0 : unlinkat(dir, entry->d_name, 0);
			drop->dropped += !merged;
		}
	}
	closedir(stream);
	const struct timespec times[2] = { before.st_atim, before.st_mtim };
	return result < 0 || dropped == drop->dropped ? result : futimens(dir, times);
}

int chain_drop_whiteouts(int top, const struct chain_layer *below, int count)
{
	struct drop drop = { .below = below, .count = count };
	return drop_in(&drop, top) < 0 ? fail("look for whiteouts of nothing") : drop.dropped;
}

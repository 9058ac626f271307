#include "rootfs/store/inplace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/store/inplace_key.h"
#include "rootfs/base/json.h"
#include "rootfs/base/paths.h"
#include "rootfs/layer/remove.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/seals.h"

int inplace_key(const char *path, const char *platform, struct digest *key)
{
	char full[PATH_MAX], text[PATH_MAX + 384];
	const char *ref;
	scoped_ptr char *file = path_split(path, &ref);
	if (!file || !realpath(file, full))
		return path_fail("open", path);
	int size = snprintf(text, sizeof(text), "%s\n%.100s%s%.250s", full, platform ? platform : "",
			    ref ? "\n" : "", ref ? ref : "");
	*key = sha256_of(text, size);
	return 0;
}

static int open_indexes(const struct store *store)
{
	if (store->root < 0)
		return -1;
	return openat(store->root, "indexes", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* What is missing has been removed just now: then there is no index. */
static int read_config(struct inplace *inplace, int dir)
{
	struct stat st;
	scoped_fd file = openat(dir, "config", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0 || fstat(file, &st) < 0 || st.st_size > JSON_BYTES)
		return 0;
	inplace->config = malloc(st.st_size + 1);
	if (!inplace->config || read(file, inplace->config, st.st_size) != st.st_size)
		return fail("read the config of an index");
	inplace->config[st.st_size] = '\0';
	inplace->config_size = st.st_size;
	return 1;
}

static int open_index(struct inplace *inplace, int dir)
{
	struct seals seals;
	int same = seals_read(&seals, dir);
	if (same > 0)
		same = seals_check(&seals, &inplace->devices, &inplace->device_count);
	scoped_ptr char *id = same > 0 ? seals_get(&seals, "image") : NULL;
	free(seals.text);
	if (same <= 0 || !id)
		return same < 0 ? -1 : 0;
	snprintf(inplace->id, sizeof(inplace->id), "%s", id);
	inplace->index = openat(dir, "tree.erofs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return inplace->index < 0 ? 0 : read_config(inplace, dir);
}

/* Whether NAME leads to another directory than DIR by now, which is open, so that its number is nobody else's. */
static bool is_replaced(int indexes, const char *name, int dir)
{
	struct stat was, is;
	return fstat(dir, &was) == 0 && fstatat(indexes, name, &is, AT_SYMLINK_NOFOLLOW) == 0 &&
	       was.st_ino != is.st_ino;
}

/* Who makes the same index at the same time may put it in the place of the one that is read, and remove that. */
static int find_index(struct inplace *inplace, int indexes, const char *name)
{
	for (;;) {
		scoped_fd dir = openat(indexes, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int found = dir < 0 ? 0 : open_index(inplace, dir);
		if (found <= 0)
			inplace_close(inplace);
		if (dir < 0 || found || !is_replaced(indexes, name, dir))
			return found;
	}
}

int inplace_find(const struct store *store, const char *path, const char *platform,
		 struct inplace *inplace)
{
	struct digest key;
	*inplace = (struct inplace){ .index = -1 };
	if (inplace_key(path, platform, &key) < 0)
		return -1;
	scoped_fd indexes = open_indexes(store);
	return indexes < 0 ? 0 : find_index(inplace, indexes, key.hex);
}

void inplace_close(struct inplace *inplace)
{
	for (size_t i = 0; i < inplace->device_count; i++)
		close(inplace->devices[i]);
	free(inplace->devices);
	free(inplace->config);
	scoped_close(&inplace->index);
	*inplace = (struct inplace){ .index = -1 };
}

/* Out of sight in one step, so that no half of it is ever seen. */
static int remove_one(struct store *store, int indexes, const char *name)
{
	struct work work = { .dir = -1 };
	if (store_make(store) < 0 || work_create(store, &work) < 0)
		return -1;
	int result = renameat(indexes, name, work.dir, name);
	if (result < 0)
		fail("remove the index %.12s", name);
	work_destroy(store, &work);
	return result;
}

static int hash_file(int dir, const char *name, struct digest *digest)
{
	static char buffer[65536];
	struct sha256 sha;
	ssize_t n;
	scoped_fd file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return -1;
	sha256_init(&sha);
	while ((n = read(file, buffer, sizeof(buffer))) > 0)
		sha256_update(&sha, buffer, n);
	sha256_final(&sha, digest);
	return (int)n;
}

static bool is_sealed(const struct seals *seals, const char *word, int dir, const char *name)
{
	struct digest found;
	scoped_ptr char *stated = seals_get(seals, word);
	return stated && hash_file(dir, name, &found) == 0 && !strcmp(found.hex, stated);
}

/* What a walk over the indexes looks for; an index that there is a reason for is removed. */
struct search {
	enum inplace_sweep sweep;
	const char *archive; /* NULL: the archive doesn't matter */
};

/* NULL: it stays. */
static const char *find_reason(const struct search *search, const struct seals *seals, int dir)
{
	if (search->archive) {
		scoped_ptr char *archive = seals_get(seals, "archive");
		return archive && !strcmp(archive, search->archive) ? "it was to go" : NULL;
	}
	if (search->sweep != INPLACE_STALE && (!is_sealed(seals, "index", dir, "tree.erofs") ||
					       !is_sealed(seals, "image", dir, "config")))
		return "it is damaged";
	return seals_check(seals, NULL, NULL) > 0 ? NULL : "the archive has changed or is gone";
}

/* Returns 1 where it was removed; 0; -1 with a failure. */
static int look_at(struct store *store, const struct search *search, int indexes, const char *name,
		   fsck_told *told)
{
	char line[PATH_MAX + 128];
	struct seals seals;
	scoped_fd dir = openat(indexes, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return 0;
	if (seals_read(&seals, dir) < 0)
		failure_clear();
	scoped_ptr char *text = seals.text;
	scoped_ptr char *archive = text ? seals_get(&seals, "archive") : NULL;
	const char *reason = text ? find_reason(search, &seals, dir) : "nothing is known of it";
	if (!text && search->archive)
		reason = NULL;
	if (!reason)
		return 0;
	bool stays = search->sweep == INPLACE_LOOK;
	if (!stays && remove_one(store, indexes, name) < 0)
		return -1;
	snprintf(line, sizeof(line), "index of %s: %s: %s", archive ? archive : name, reason,
		 stays ? "it stays, since the store is read-only" : "removed");
	if (told)
		told(line);
	return 1;
}

static int walk(struct store *store, const struct search *search, fsck_told *told)
{
	int removed = 0, result = 0;
	scoped_fd indexes = open_indexes(store);
	int copy = indexes < 0 ? -1 : fcntl(indexes, F_DUPFD_CLOEXEC, 3);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	if (!stream)
		return 0;
	for (struct dirent *entry; result >= 0 && (entry = readdir(stream));) {
		if (entry->d_name[0] == '.')
			continue;
		result = look_at(store, search, indexes, entry->d_name, told);
		removed += result > 0;
	}
	closedir(stream);
	return result < 0 ? -1 : removed;
}

int inplace_remove(struct store *store, const char *path)
{
	char full[PATH_MAX];
	/* One that is gone is named as it was. */
	const struct search search = { .archive = realpath(path, full) ? full : path };
	return walk(store, &search, NULL);
}

int inplace_sweep(struct store *store, enum inplace_sweep sweep, fsck_told *told)
{
	const struct search search = { .sweep = sweep };
	return walk(store, &search, told);
}

#include "rootfs/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "rootfs/base/err.h"
#include "rootfs/base/paths.h"
#include "rootfs/base/private_dir.h"
#include "rootfs/base/scoped.h"

#define VERSION "1\n"

struct part {
	const char *name;
	size_t offset;
};

static const struct part parts[] = {
	{ "layers", offsetof(struct store, layers) },
	{ "images", offsetof(struct store, images) },
	{ "names", offsetof(struct store, names) },
	{ "tmp", offsetof(struct store, tmp) },
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static int *part_fd(struct store *store, const struct part *part)
{
	return (int *)((char *)store + part->offset);
}

static int open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The images hold setuid files: the store must be its user's alone (rule 27). */
static int open_private(const struct store *store)
{
	struct stat st;
	scoped_fd root = private_dir_open(store->path, 022, "the store");
	if (root < 0)
		return -1;
	if (fstat(root, &st) < 0)
		return fail("look at the store %s", store->path);
	if (st.st_mode & 077)
		warn("the store %s is open to other users: chmod 700 it", store->path);
	return take_fd(&root);
}

static int check_version(const struct store *store)
{
	char text[32] = "";
	scoped_fd file = openat(store->root, "version", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT ? 0 : fail("open %s/version", store->path);
	ssize_t n = read(file, text, sizeof(text) - 1);
	if (n < 0)
		return fail("read %s/version", store->path);
	if (strcmp(text, VERSION)) {
		text[strcspn(text, "\n")] = '\0';
		failx("the store %s was written by a newer wherry (version '%s'; this one knows 1)",
		      store->path, text);
		return hint("use that wherry, or name another store with --root DIR");
	}
	return 0;
}

static int open_parts(struct store *store)
{
	for (int i = 0; i < PARTS; i++) {
		int *fd = part_fd(store, &parts[i]);
		*fd = open_dir(store->root, parts[i].name);
		if (*fd < 0 && errno != ENOENT)
			return fail("open %s/%s", store->path, parts[i].name);
	}
	return 0;
}

static int open_root(struct store *store)
{
	store->root = open_private(store);
	if (store->root < 0)
		return failure_get()->status ? hint("--root DIR names another store") : 0;
	if (check_version(store) < 0)
		return -1;
	return open_parts(store);
}

int store_open(struct store *store, const char *path, enum store_mode mode)
{
	*store = (struct store){ path, -1, -1, -1, -1, -1, false };
	if (open_root(store) == 0 && (mode == STORE_READ || store_make(store) == 0))
		return 0;
	store_close(store);
	return -1;
}

static int make_root(struct store *store)
{
	int made = private_dir_make(store->path, "the store");
	if (made < 0)
		return hint("--root DIR names another store");
	store->made = made;
	if (open_root(store) < 0)
		return -1;
	/* ENOENT: a link to nothing, or removed since */
	return store->root < 0 ? path_fail("open the store", store->path) : 0;
}

/*
 * It is there whole or not at all: a load that begins now reads it, and so does the one after a power
 * cut. Whoever else makes it at the same time writes the same bytes to the same file.
 */
static int make_version(const struct store *store)
{
	static const char version[] = "version";
	while (faccessat(store->root, version, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		scoped_fd file = openat(store->tmp, version, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (file < 0) {
			store_hint();
			return fail("make %s/version", store->path);
		}
		if (write(file, VERSION, sizeof(VERSION) - 1) < 0 || fsync(file) < 0)
			return fail("write %s/version", store->path);
		/* ENOENT: it has been put there meanwhile, or swept away as left by nobody */
		if (renameat(store->tmp, version, store->root, version) < 0 && errno != ENOENT)
			return fail("make %s/version", store->path);
	}
	return 0;
}

/* Who writes in the store holds a lock on it, so that unmake() takes it from under nobody. */
static int hold(struct store *store)
{
	struct stat st;
	for (;;) {
		if (store->root < 0 && make_root(store) < 0)
			return -1;
		if (flock(store->root, LOCK_SH) < 0 || fstat(store->root, &st) < 0)
			return fail("lock the store %s", store->path);
		if (st.st_nlink)
			return 0;
		store->made = false;
		store_close(store);
	}
}

int store_make(struct store *store)
{
	if (hold(store) < 0)
		return -1;
	for (int i = 0; i < PARTS; i++) {
		int *fd = part_fd(store, &parts[i]);
		if (*fd >= 0)
			continue;
		if (mkdirat(store->root, parts[i].name, 0700) < 0 && errno != EEXIST) {
			store_hint();
			return fail("make %s/%s", store->path, parts[i].name);
		}
		*fd = open_dir(store->root, parts[i].name);
		if (*fd < 0)
			return fail("open %s/%s", store->path, parts[i].name);
		if (fsync(store->root) < 0)
			return fail("sync %s", store->path);
	}
	return make_version(store);
}

/* A store without a single image or volume is as good as none: ENOTEMPTY ends it at the first part in use. */
static void unmake(struct store *store)
{
	static const char *const order[] = { "volumes", "indexes", "images", "ready", "layers", "names",
					     "tmp" };
	if (flock(store->root, LOCK_EX | LOCK_NB) < 0)
		return; /* another wherry writes in it */
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (unlinkat(store->root, order[i], AT_REMOVEDIR) < 0 && errno != ENOENT)
			return;
	unlinkat(store->root, "version", 0);
	rmdir(store->path);
}

void store_close(struct store *store)
{
	if (store->made && store->root >= 0)
		unmake(store);
	for (int i = 0; i < PARTS; i++) {
		int *fd = part_fd(store, &parts[i]);
		scoped_close(fd);
		*fd = -1;
	}
	scoped_close(&store->root);
	store->root = -1;
	store->made = false;
}

bool store_is_read_only(const struct store *store)
{
	return store->root >= 0 && faccessat(store->root, ".", W_OK, 0) < 0 && errno == EROFS;
}

void store_hint(void)
{
	int error = errno;
	if (error == EROFS || error == EACCES || error == EPERM)
		hint("--root DIR names another store");
	errno = error;
}

int store_lock(const struct store *store, enum store_lock kind)
{
	int operation = kind == STORE_SHARED ? LOCK_SH : LOCK_EX;
	scoped_fd lock = openat(store->layers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return fail("open %s/layers", store->path);
	if (flock(lock, operation | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return fail("lock the store %s", store->path);
		warn("waiting for another wherry to finish with the store %s", store->path);
		if (flock(lock, operation) < 0)
			return fail("lock the store %s", store->path);
	}
	return take_fd(&lock);
}

/* Names of layers and images are 64 digits: the parents' descriptors are enough to find them. */
static bool has(int dir, const struct digest *name)
{
	return dir >= 0 && faccessat(dir, name->hex, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool store_has_layer(const struct store *store, const struct digest *key)
{
	return has(store->layers, key);
}

bool store_has_image(const struct store *store, const struct digest *id)
{
	return has(store->images, id);
}

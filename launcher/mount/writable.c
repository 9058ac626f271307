#include "launcher/mount/writable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/paths.h"
#include "rootfs/base/private_dir.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/userns.h"

static int create_on_disk(struct writable *writable, struct store *store)
{
	if (store->tmp < 0 && store_make(store) < 0)
		return -1;
	if (work_create(store, &writable->work) < 0)
		return -1;
	scoped_ptr char *root = path_absolute(store->path);
	if (!root)
		return -1;
	if (asprintf(&writable->path, "%s/tmp/%s", root, writable->work.name) < 0)
		return fail("name the writable layer");
	return 0;
}

/*
 * Whose ids the files of a layer have, and which attributes are overlayfs' own in it, follows from who
 * mounts it. To anybody else they would show files of nobody, and what was removed would be back.
 */
static void describe(const struct root *root, char *text, size_t size)
{
	const struct ids *ids = &root->ids;
	if (ids->users.count)
		snprintf(text, size, "with --userns, users from %u and groups from %u on", ids->users.start,
			 ids->groups.start);
	else if (root->unprivileged)
		snprintf(text, size, "without root, by user %u", userns_root());
	else
		snprintf(text, size, "by root, without --userns");
}

/* DIR/writer says who has written to it first. One that a stranger made has none yet, but files perhaps. */
static int check_writer(int dir, const struct root *root, const char *name)
{
	char now[80], then[80] = "";
	describe(root, now, sizeof(now));
	scoped_fd file = openat(dir, "writer", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	ssize_t n = file < 0 ? -1 : read(file, then, sizeof(then) - 1);
	if (n < 0)
		return fail("--overlay %s: read writer", name);
	if (n > 0 && faccessat(dir, "upper", F_OK, 0) == 0) {
		if (!strcmp(then, now))
			return 0;
		failx("--overlay %s was written %.*s; this run is %s", name, (int)strcspn(then, "\n"), then, now);
		return hint("its files have other owners and marks: another directory starts anew");
	}
	ssize_t length = (ssize_t)strlen(now);
	if (ftruncate(file, 0) < 0 || pwrite(file, now, (size_t)length, 0) != length)
		return fail("--overlay %s: write writer", name);
	return 0;
}

/* Two containers with one upper directory would damage it: overlayfs(5), "Sharing and copying layers". */
static int open_directory(struct writable *writable, const struct root *root, const char *name)
{
	if (mkdir(name, 0700) < 0 && errno != EEXIST)
		return path_fail("--overlay", name);
	writable->path = path_absolute(name);
	if (!writable->path)
		return -1;
	/* A setuid file that the container leaves there would be any user's root. */
	writable->lock = private_dir_open(name, 077, "--overlay");
	if (writable->lock < 0)
		return failure_get()->status ? -1 : path_fail("--overlay", name);
	if (flock(writable->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? failx("--overlay %s: a container uses it", name)
					    : fail("--overlay %s", name);
	return check_writer(writable->lock, root, name);
}

int writable_create(struct writable *writable, struct store *store, struct root *root)
{
	*writable = (struct writable){ .work.dir = -1, .lock = -1 };
	int r = 0;
	if (root->overlay == OVERLAY_DISK)
		r = create_on_disk(writable, store);
	else if (root->overlay == OVERLAY_DIR)
		r = open_directory(writable, root, root->overlay_dir);
	root->overlay_dir = writable->path;
	return r;
}

void writable_destroy(struct writable *writable, const struct store *store)
{
	if (writable->work.dir >= 0)
		work_destroy(store, &writable->work);
	writable->work.dir = -1;
	free(take_ptr(&writable->path));
	if (writable->lock >= 0)
		close(take_fd(&writable->lock));
}

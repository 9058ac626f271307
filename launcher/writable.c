#include "launcher/writable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "launcher/paths.h"
#include "rootfs/err.h"
#include "rootfs/scoped.h"

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

/* Two containers with one upper directory would damage it: overlayfs(5), "Sharing and copying layers". */
static int open_directory(struct writable *writable, const char *name)
{
	if (mkdir(name, 0755) < 0 && errno != EEXIST)
		return fail("--overlay %s", name);
	writable->path = path_absolute(name);
	writable->lock = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!writable->path || writable->lock < 0)
		return fail("--overlay %s", name);
	if (flock(writable->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? failx("--overlay %s: a container uses it", name)
					    : fail("--overlay %s", name);
	return 0;
}

int writable_create(struct writable *writable, struct store *store, struct root *root)
{
	*writable = (struct writable){ .work.dir = -1, .lock = -1 };
	int r = 0;
	if (root->overlay == OVERLAY_DISK)
		r = create_on_disk(writable, store);
	else if (root->overlay == OVERLAY_DIR)
		r = open_directory(writable, root->overlay_dir);
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

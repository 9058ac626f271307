/* The directory that volumes are in: which there are, and who may change that. */
#include "launcher/mount/volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/spec/volume_name.h"
#include "rootfs/layer/census.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

static const struct store closed = {
	.root = -1, .layers = -1, .images = -1, .names = -1, .tmp = -1,
};

int volumes_enter(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int volumes_lock(const struct store *store)
{
	scoped_fd dir = volumes_enter(store->root, "volumes");
	if (dir < 0)
		return errno == ENOENT ? -1 : fail("open %s/volumes", store->path);
	if (flock(dir, LOCK_EX | LOCK_NB) == 0)
		return take_fd(&dir);
	if (errno == EWOULDBLOCK)
		warn("waiting for another wherry to fill a volume in %s", store->path);
	return flock(dir, LOCK_EX) < 0 ? fail("lock %s/volumes", store->path) : take_fd(&dir);
}

int volumes_make(const struct store *store)
{
	if (mkdirat(store->root, "volumes", 0700) < 0) {
		if (errno != EEXIST)
			return fail("make %s/volumes", store->path);
	} else if (fsync(store->root) < 0) {
		return fail("sync %s", store->path);
	}
	return volumes_lock(store);
}

int volumes_make_one(int dir, const char *name, const struct ids *ids)
{
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST) {
		store_hint();
		return fail("make the volume %s", name);
	}
	scoped_fd volume = volumes_enter(dir, name);
	if (volume < 0 || fchmod(volume, 0755) < 0 ||
	    fchown(volume, ids->users.start, ids->groups.start) < 0)
		return fail("make the volume %s", name);
	return take_fd(&volume);
}

/* ROOT/volumes, locked, in STORE; -1 with a failure, or with none where there has never been a volume. */
static int open_dir(struct store *store, const char *root)
{
	if (store_open(store, root, STORE_READ) < 0 || store->root < 0)
		return -1;
	return volumes_lock(store);
}

static int add_to(struct volume_list *list, int dir, const char *name)
{
	struct volume volume = { .name = strdup(name) };
	struct volume *grown = realloc(list->at, (list->count + 1) * sizeof(*grown));
	if (grown)
		list->at = grown;
	if (!grown || !volume.name) {
		free(volume.name);
		return fail("list the volumes");
	}
	scoped_fd fd = volumes_enter(dir, name);
	struct census census = { 0 };
	if (fd < 0 || census_take(fd, &census) < 0)
		warn("look at the volume %s: %s", name, strerror(errno));
	volume.files = census.names;
	volume.bytes = census.content;
	volume.used = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
	grown[list->count++] = volume;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct volume *)a)->name, ((const struct volume *)b)->name);
}

static int read_volumes(struct volume_list *list, int dir)
{
	int fd = volumes_enter(dir, "."), result = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		scoped_close(&fd);
		return fail("list the volumes");
	}
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));)
		if (volumes_is_name(entry->d_name))
			result = add_to(list, dir, entry->d_name);
	closedir(stream);
	if (list->count)
		qsort(list->at, list->count, sizeof(*list->at), by_name);
	return result;
}

int volumes_list(const char *root, struct volume_list *list)
{
	struct store store = closed;
	*list = (struct volume_list){ 0 };
	scoped_fd dir = open_dir(&store, root);
	int result = dir < 0 ? (failure_get()->status ? -1 : 0) : read_volumes(list, dir);
	store_close(&store);
	return result;
}

void volumes_free(struct volume_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->at[i].name);
	free(list->at);
}

static int check_name(const char *name)
{
	if (volumes_is_name(name))
		return 0;
	failx("'%s' cannot be a volume's name", name);
	return hint("up to 255 letters, digits and _.- with a letter or digit first");
}

int volumes_create(const char *root, const char *name)
{
	struct store store;
	const struct ids as_they_are = { 0 };
	if (check_name(name) < 0 || store_open(&store, root, STORE_WRITE) < 0)
		return -1;
	int result = -1;
	scoped_fd dir = volumes_make(&store);
	if (dir >= 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		result = 0;
	} else if (dir >= 0) {
		scoped_fd volume = volumes_make_one(dir, name, &as_they_are);
		if (volume >= 0)
			result = fsync(dir) < 0 ? fail("sync %s/volumes", root) : 0;
	}
	store_close(&store);
	return result;
}

/* Out of sight first, in one step: what is left of it after a power cut is in tmp. */
static int remove_volume(struct store *store, int dir, const char *name)
{
	struct work work = { .dir = -1 };
	if (store_make(store) < 0 || work_create(store, &work) < 0)
		return -1;
	int result = 0;
	if (renameat(dir, name, work.dir, name) < 0 || fsync(dir) < 0)
		result = fail("remove the volume %s", name);
	work_destroy(store, &work);
	return result;
}

static int remove_unused(struct store *store, int dir, const char *name)
{
	scoped_fd volume = volumes_enter(dir, name);
	if (volume < 0)
		return fail("open the volume %s", name);
	if (flock(volume, LOCK_EX | LOCK_NB) < 0) {
		failx("the volume %s is in use by a container that runs", name);
		return hint("stop the container first");
	}
	return remove_volume(store, dir, name);
}

int volumes_remove(const char *root, const char *name)
{
	struct store store = closed;
	if (check_name(name) < 0)
		return -1;
	int result = -1;
	scoped_fd dir = open_dir(&store, root);
	if (dir >= 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		result = remove_unused(&store, dir, name);
	} else {
		failx("there is no volume '%s' in %s", name, root);
		hint("wherry volume ls lists what is there");
	}
	store_close(&store);
	return result;
}

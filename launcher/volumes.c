#include "launcher/volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/paths.h"
#include "launcher/sys.h"
#include "rootfs/census.h"
#include "rootfs/copy.h"
#include "rootfs/err.h"
#include "rootfs/scoped.h"

static const struct store closed = {
	.root = -1, .layers = -1, .images = -1, .names = -1, .tmp = -1,
};

bool volumes_is_name(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t length = strlen(name);
	return length && length <= 255 && !strchr("_.-", *name) && strspn(name, allowed) == length;
}

static int open_in(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ROOT/volumes, locked; -1 with a failure, or with none where there is no such directory. */
static int lock_dir(const struct store *store)
{
	scoped_fd dir = open_in(store->root, "volumes");
	if (dir < 0)
		return errno == ENOENT ? -1 : fail("open %s/volumes", store->path);
	if (flock(dir, LOCK_EX | LOCK_NB) == 0)
		return take_fd(&dir);
	if (errno == EWOULDBLOCK)
		warn("waiting for another wherry to fill a volume in %s", store->path);
	return flock(dir, LOCK_EX) < 0 ? fail("lock %s/volumes", store->path) : take_fd(&dir);
}

static int make_dir(const struct store *store)
{
	if (mkdirat(store->root, "volumes", 0700) < 0) {
		if (errno != EEXIST)
			return fail("make %s/volumes", store->path);
	} else if (fsync(store->root) < 0) {
		return fail("sync %s", store->path);
	}
	return lock_dir(store);
}

/* As a directory that the image doesn't have: of the container's root. Returns the volume, open. */
static int make_one(int dir, const char *name, const struct ids *ids)
{
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return fail("make the volume %s", name);
	scoped_fd volume = open_in(dir, name);
	if (volume < 0 || fchmod(volume, 0755) < 0 ||
	    fchown(volume, ids->users.start, ids->groups.start) < 0)
		return fail("make the volume %s", name);
	return take_fd(&volume);
}

static bool is_empty(int volume)
{
	bool empty = true;
	int fd = open_in(volume, ".");
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		scoped_close(&fd);
		return false;
	}
	for (struct dirent *entry; empty && (entry = readdir(stream));)
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	closedir(stream);
	return empty;
}

/* An empty volume that another container uses stays the one that it uses. */
static bool is_to_fill(const struct mount *mount, int volume)
{
	return !mount->no_copy && is_empty(volume) && flock(volume, LOCK_EX | LOCK_NB) == 0;
}

static int make_to_fill(struct volumes *volumes, const char *name, const struct ids *ids)
{
	struct stat tmp, dir;
	if (volumes->work.dir < 0 && work_create(&volumes->store, &volumes->work) < 0)
		return -1;
	/* Said now, and not when the copying is done. */
	if (fstat(volumes->work.dir, &tmp) == 0 && fstat(volumes->dir, &dir) == 0 &&
	    tmp.st_dev != dir.st_dev)
		return failx("%s/tmp and %s/volumes have to be on one file system",
			     volumes->store.path, volumes->store.path);
	return make_one(volumes->work.dir, name, ids);
}

/* Returns the volume, open, and whether it is one that is to be filled. */
static int open_volume(struct volumes *volumes, const struct mount *mount, const struct ids *ids,
		       bool *fresh)
{
	const char *name = mount->volume;
	*fresh = false;
	/* a second mount of a new volume */
	scoped_fd volume = volumes->work.dir < 0 ? -1 : open_in(volumes->work.dir, name);
	if (volume >= 0) {
		*fresh = true;
		return take_fd(&volume);
	}
	volume = open_in(volumes->dir, name);
	if (volume < 0 && errno != ENOENT)
		return fail("open the volume %s", name);
	if (volume < 0 && mount->no_copy)
		return make_one(volumes->dir, name, ids);
	if (volume >= 0 && !is_to_fill(mount, volume))
		return take_fd(&volume);
	*fresh = true;
	return make_to_fill(volumes, name, ids);
}

/* The lock is seen by who removes. VOLUME is taken over. */
static int hold(struct volumes *volumes, int volume, const char *name)
{
	int *grown = realloc(volumes->held, (volumes->held_count + 1) * sizeof(*grown));
	if (grown)
		volumes->held = grown;
	if (!grown || flock(volume, LOCK_SH) < 0) {
		fail("hold the volume %s", name);
		close(volume);
		return -1;
	}
	grown[volumes->held_count++] = volume;
	return 0;
}

/*
 * A path, since mounts are taken along from the child's own mount namespace: when it is FILLED already,
 * or before that.
 */
static int name_source(const struct volumes *volumes, const char *root, bool filled,
		       struct mount *mount)
{
	char *path = NULL;
	int n = !filled ? asprintf(&path, "%s/tmp/%s/%s", root, volumes->work.name, mount->volume)
		      : asprintf(&path, "%s/volumes/%s", root, mount->volume);
	if (n < 0)
		return fail("name the volume %s", mount->volume);
	mount->source = path;
	return 0;
}

static int open_all(struct volumes *volumes, const char *root, struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		bool fresh;
		struct mount *mount = &spec->mounts[i];
		if (!mount->volume)
			continue;
		int volume = open_volume(volumes, mount, &spec->root.ids, &fresh);
		if (volume < 0 || hold(volumes, volume, mount->volume) < 0 ||
		    name_source(volumes, root, !fresh || spec_is_mapped(spec), mount) < 0)
			return -1;
	}
	return 0;
}

static bool any_volume(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (spec->mounts[i].volume)
			return true;
	return false;
}

int volumes_open(struct volumes *volumes, const char *root, struct spec *spec)
{
	*volumes = (struct volumes){ .store = closed, .dir = -1, .work.dir = -1 };
	if (!any_volume(spec))
		return 0;
	scoped_ptr char *path = path_absolute(root);
	if (!path || store_open(&volumes->store, root, STORE_WRITE) < 0)
		return -1;
	volumes->dir = make_dir(&volumes->store);
	if (volumes->dir < 0 || open_all(volumes, path, spec) < 0)
		return -1;
	if (!volumes_wait(volumes))
		volumes_settle(volumes);
	return 0;
}

/* Where the image has a directory of that name. The image's author may have put anything there. */
static int open_original(int root, const struct mount *mount)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int dir;
	/* EAGAIN: something was renamed on the machine while a .. was followed: openat2(2) */
	do
		dir = sys_openat2(root, mount->target, &how);
	while (dir < 0 && errno == EAGAIN);
	return dir;
}

/* Nothing but an empty directory is replaced: rename(2). The lock keeps others from being there first. */
static int put_in_place(const struct volumes *volumes, const char *name)
{
	if (syncfs(volumes->work.dir) < 0)
		return fail("sync the volume %s", name);
	if (renameat(volumes->work.dir, name, volumes->dir, name) < 0)
		return fail("put the volume %s in its place", name);
	return fsync(volumes->dir) < 0 ? fail("sync %s/volumes", volumes->store.path) : 0;
}

static int fill(const struct volumes *volumes, int root, const struct mount *mount)
{
	scoped_fd volume = open_in(volumes->work.dir, mount->volume);
	if (volume < 0) /* ENOENT: it is in its place already, by an earlier mount or since ever */
		return errno == ENOENT ? 0 : fail("open the volume %s", mount->volume);
	scoped_fd original = open_original(root, mount);
	if (original < 0 && errno != ENOENT)
		return fail("copy %s to the volume %s", mount->target, mount->volume);
	if (original >= 0 && copy_tree(original, volume) < 0)
		return -1;
	return put_in_place(volumes, mount->volume);
}

int volumes_fill(const struct volumes *volumes, int root, const struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (spec->mounts[i].volume && fill(volumes, root, &spec->mounts[i]) < 0)
			return -1;
	return 0;
}

void volumes_leave(const struct volumes *volumes)
{
	if (volumes_wait(volumes)) {
		close(volumes->work.dir);
		close(volumes->dir);
	}
}

void volumes_settle(struct volumes *volumes)
{
	if (volumes->work.dir >= 0)
		work_destroy(&volumes->store, &volumes->work);
	if (volumes->dir >= 0)
		close(take_fd(&volumes->dir));
	store_close(&volumes->store);
}

void volumes_close(struct volumes *volumes)
{
	volumes_settle(volumes);
	for (size_t i = 0; i < volumes->held_count; i++)
		close(volumes->held[i]);
	free(take_ptr(&volumes->held));
	volumes->held_count = 0;
}

/* ROOT/volumes, locked, in STORE; -1 with a failure, or with none where there has never been a volume. */
static int open_dir(struct store *store, const char *root)
{
	if (store_open(store, root, STORE_READ) < 0 || store->root < 0)
		return -1;
	return lock_dir(store);
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
	scoped_fd fd = open_in(dir, name);
	if (fd < 0 || census_take(fd, &volume.files, &volume.bytes) < 0)
		warn("look at the volume %s: %s", name, strerror(errno));
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
	int fd = open_in(dir, "."), result = 0;
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
	scoped_fd dir = make_dir(&store);
	if (dir >= 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		result = 0;
	} else if (dir >= 0) {
		scoped_fd volume = make_one(dir, name, &as_they_are);
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
	scoped_fd volume = open_in(dir, name);
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

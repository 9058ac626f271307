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

#include "rootfs/base/paths.h"
#include "rootfs/base/sys.h"
#include "rootfs/layer/copy.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

static const struct store closed = {
	.root = -1, .layers = -1, .images = -1, .names = -1, .tmp = -1,
};

static bool is_empty(int volume)
{
	bool empty = true;
	int fd = volumes_enter(volume, ".");
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
	return volumes_make_one(volumes->work.dir, name, ids);
}

/* Returns the volume, open, and whether it is one that is to be filled. */
static int open_volume(struct volumes *volumes, const struct mount *mount, const struct ids *ids,
		       bool *fresh)
{
	const char *name = mount->volume;
	*fresh = false;
	/* a second mount of a new volume */
	scoped_fd volume = volumes->work.dir < 0 ? -1 : volumes_enter(volumes->work.dir, name);
	if (volume >= 0) {
		*fresh = true;
		return take_fd(&volume);
	}
	volume = volumes_enter(volumes->dir, name);
	if (volume < 0 && errno != ENOENT)
		return fail("open the volume %s", name);
	if (volume < 0 && mount->no_copy)
		return volumes_make_one(volumes->dir, name, ids);
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
	volumes->dir = volumes_make(&volumes->store);
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
	return sys_openat2(root, mount->target, &how);
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
	scoped_fd volume = volumes_enter(volumes->work.dir, mount->volume);
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

#include "launcher/mount/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/mount/filesystem.h"
#include "rootfs/base/paths.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/load/find.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/userns.h"

static bool has(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, 0) == 0;
}

/* A directory that is no image layout is a root file system as it stands. */
static bool is_rootfs(const char *name)
{
	scoped_fd dir = openat(AT_FDCWD, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir >= 0 && !has(dir, "oci-layout") && !has(dir, "index.json") &&
	       !has(dir, "manifest.json");
}

static void take_whole(struct source *source)
{
	static char *whole[] = { ".", NULL };
	source->lowers = whole;
	source->lower_count = 1;
	source->top = ".";
}

static int open_rootfs(struct source *source, const char *name)
{
	take_whole(source);
	source->base = path_absolute(name);
	return source->base ? 0 : -1;
}

/* An image config laid beside the file says what to run, and how; without one the command line does. */
static int read_config_beside(struct source *source, const char *name)
{
	scoped_ptr char *path = NULL;
	struct stat stat;
	if (asprintf(&path, "%s.json", name) < 0)
		return fail("name the config of %s", name);
	scoped_fd file = openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT ? 0 : fail("open %s", path);
	if (fstat(file, &stat) < 0 || !S_ISREG(stat.st_mode) || stat.st_size > JSON_BYTES)
		return failx("%s is no image config", path);
	scoped_ptr char *text = malloc((size_t)stat.st_size + 1);
	if (!text || read(file, text, (size_t)stat.st_size) != stat.st_size)
		return fail("read %s", path);
	return image_config_parse(text, (size_t)stat.st_size, &source->config);
}

static int open_filesystem(struct source *source, const char *name, const char *type)
{
	take_whole(source);
	source->tree = filesystem_mount(name, type);
	return source->tree < 0 ? -1 : read_config_beside(source, name);
}

/* The image that NAME is in the store, or in a file, which is loaded then. */
static int find_image(struct source *source, const char *name, const struct load_options *load, struct digest *id)
{
	int found = image_find_named(&source->store, name, id);
	if (found)
		return found < 0 ? -1 : 0;
	if (path_is_one(name) || (!is_rootfs(name) && !filesystem_type(name)))
		return image_find_file(&source->store, name, load, id);
	failx("there is no image '%s' in %s", name, source->store.path);
	return hint("what is here under that name is run as ./%s", name);
}

static int open_image(struct source *source, const char *name, const char *root,
		      const char *platform)
{
	struct digest id;
	const struct load_options load = { .platform = platform, .quiet = 1 };
	if (store_open(&source->store, root, STORE_READ) < 0 || find_image(source, name, &load, &id) < 0 ||
	    image_open(&source->store, &id, &source->image) < 0)
		return -1;
	if (platform && image_check_platform(&source->image, name, platform) < 0)
		return -1;
	scoped_ptr char *store = path_absolute(root);
	if (!store || asprintf(&source->base, "%s/layers", store) < 0)
		return fail("name the image's layers");
	source->lowers = source->image.lowers;
	source->lower_count = source->image.lower_count;
	source->top = source->image.root;
	return image_config_parse(source->image.config, source->image.config_size, &source->config);
}

/* What the kernel lacks is said before the archive is read. */
static int make_index(struct source *source, const char *name, const char *platform)
{
	scoped_ptr char *probe = NULL;
	struct store *store = &source->store;
	if (store_make(store) < 0)
		return -1;
	if (asprintf(&probe, "%s/version", store->path) < 0)
		return fail("name the store");
	if (filesystem_probe(probe) < 0 || inplace_make(store, name, platform) < 0)
		return -1;
	int found = inplace_find(store, name, platform, &source->inplace);
	return found ? found : failx("%s: it changes while it is read", name);
}

static int open_in_place(struct source *source, const char *name, const char *root, const char *platform)
{
	struct inplace *inplace = &source->inplace;
	if (userns_inside()) {
		failx("--no-unpack: an archive in its place is root's to mount");
		return hint("run it without --no-unpack");
	}
	if (store_open(&source->store, root, STORE_READ) < 0)
		return -1;
	int found = inplace_find(&source->store, name, platform, inplace);
	if (found == 0)
		found = make_index(source, name, platform);
	if (found < 0)
		return -1;
	take_whole(source);
	source->tree = filesystem_mount_index(inplace->index, inplace->devices, inplace->device_count);
	return source->tree < 0 ? -1
				: image_config_parse(inplace->config, inplace->config_size,
						     &source->config);
}

int source_open(struct source *source, const char *name, const char *root, const char *platform,
		enum source_how how)
{
	static const struct store closed = {
		.root = -1, .layers = -1, .images = -1, .names = -1, .tmp = -1,
	};
	*source = (struct source){ .store = closed, .image.lock = -1,
				   .inplace.index = -1, .tree = -1 };
	source->store.path = root; /* a root file system that stands has no need of it, its overlay may */
	bool path = path_is_one(name);
	if (path && is_rootfs(name))
		return open_rootfs(source, name);
	const char *type = path ? filesystem_type(name) : NULL;
	if (type)
		return open_filesystem(source, name, type);
	if (how == SOURCE_IN_PLACE)
		return open_in_place(source, name, root, platform);
	return open_image(source, name, root, platform);
}

void source_close(struct source *source)
{
	free(take_ptr(&source->base));
	if (source->tree >= 0)
		close(take_fd(&source->tree));
	inplace_close(&source->inplace);
	image_close(&source->image);
	store_close(&source->store);
}

#include "launcher/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "launcher/paths.h"
#include "rootfs/err.h"
#include "rootfs/scoped.h"

/* image.h: a path begins so; everything else is looked for in the store first. */
static bool is_path(const char *name)
{
	return name[0] == '/' || !strncmp(name, "./", 2) || !strncmp(name, "../", 3) ||
	       !strcmp(name, ".") || !strcmp(name, "..");
}

static bool has(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, 0) == 0;
}

/* A directory that is no image layout is a root file system as it stands. */
static bool is_rootfs(const char *name)
{
	if (!is_path(name))
		return false;
	scoped_fd dir = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir >= 0 && !has(dir, "oci-layout") && !has(dir, "index.json") &&
	       !has(dir, "manifest.json");
}

static int open_rootfs(struct source *source, const char *name)
{
	static char *whole[] = { ".", NULL };
	source->base = path_absolute(name);
	source->lowers = whole;
	source->lower_count = 1;
	source->top = ".";
	return source->base ? 0 : -1;
}

static int open_image(struct source *source, const char *name, const char *root,
		      const char *platform)
{
	struct load_options load = { .platform = platform, .quiet = 1 };
	if (store_open(&source->store, root, STORE_READ) < 0 ||
	    image_open(&source->store, name, &load, &source->image) < 0)
		return -1;
	scoped_ptr char *store = path_absolute(root);
	if (!store || asprintf(&source->base, "%s/layers", store) < 0)
		return fail("name the image's layers");
	source->lowers = source->image.lowers;
	source->lower_count = source->image.lower_count;
	source->top = source->image.root;
	return image_config_parse(source->image.config, source->image.config_size, &source->config);
}

int source_open(struct source *source, const char *name, const char *root, const char *platform)
{
	static const struct store closed = {
		.root = -1, .layers = -1, .images = -1, .names = -1, .tmp = -1,
	};
	*source = (struct source){ .store = closed, .image.lock = -1 };
	if (is_rootfs(name))
		return open_rootfs(source, name);
	return open_image(source, name, root, platform);
}

void source_close(struct source *source)
{
	free(take_ptr(&source->base));
	image_close(&source->image);
	store_close(&source->store);
}

#include "launcher/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

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

/* A directory that is no image layout is a root file system. Returns -1 for everything else. */
static int open_directory(const char *name)
{
	if (!is_path(name))
		return -1;
	scoped_fd dir = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || has(dir, "oci-layout") || has(dir, "index.json") || has(dir, "manifest.json"))
		return -1;
	return take_fd(&dir);
}

static int open_image(struct source *source, const char *name, const char *root,
		      const char *platform)
{
	struct load_options load = { .platform = platform, .quiet = 1 };
	if (store_open(&source->store, root, STORE_READ) < 0 ||
	    image_open(&source->store, name, &load, &source->image) < 0)
		return -1;
	source->base = source->store.layers;
	source->lowers = source->image.lowers;
	source->lower_count = source->image.lower_count;
	return image_config_parse(source->image.config, source->image.config_size, &source->config);
}

int source_open(struct source *source, const char *name, const char *root, const char *platform)
{
	static char *whole[] = { ".", NULL };
	static const struct store closed = {
		.root = -1, .layers = -1, .images = -1, .names = -1, .tmp = -1,
	};
	*source = (struct source){ .store = closed, .image.lock = -1 };
	source->base = open_directory(name);
	if (source->base < 0)
		return open_image(source, name, root, platform);
	source->lowers = whole;
	source->lower_count = 1;
	return 0;
}

void source_close(struct source *source)
{
	if (source->base >= 0 && source->base != source->store.layers)
		close(source->base);
	image_close(&source->image);
	store_close(&source->store);
}

#include "rootfs/store/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/base/platform.h"
#include "rootfs/store/ready.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/stack.h"

/*
 * Between opening and locking somebody may have removed it: then it has no name any more, and a
 * lock on it keeps nothing. Who removes it, or only asks whether it is in use, is soon done.
 */
static int lock_config(const struct store *store, const struct digest *id)
{
	struct stat st;
	scoped_fd file = openat(store->images, id->hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return fail("open image %.12s", id->hex);
	if (flock(file, LOCK_SH) < 0 || fstat(file, &st) < 0)
		return fail("lock image %.12s", id->hex);
	if (st.st_nlink == 0)
		return failx("image %.12s has just been removed", id->hex);
	return take_fd(&file);
}

char *image_config(const struct image *image, size_t *size)
{
	struct stat st;
	if (fstat(image->lock, &st) < 0) {
		fail("read image %.12s", image->id);
		return NULL;
	}
	if (st.st_size > JSON_BYTES) {
		failx("the config of image %.12s is larger than %d MiB", image->id, JSON_BYTES >> 20);
		return NULL;
	}
	char *config = malloc(st.st_size + 1);
	if (!config || pread(image->lock, config, st.st_size, 0) != st.st_size) {
		free(config);
		fail("read image %.12s", image->id);
		return NULL;
	}
	config[st.st_size] = '\0';
	*size = st.st_size;
	return config;
}

int image_open(const struct store *store, const struct digest *id, struct image *image)
{
	*image = (struct image){ .lock = -1 };
	memcpy(image->id, id->hex, sizeof(image->id));
	image->lock = lock_config(store, id);
	if (image->lock >= 0 && ready_open(store, image) == 0)
		return 0;
	image_close(image);
	return -1;
}

int image_check_platform(const struct image *image, const char *name, const char *asked)
{
	struct platform wanted, found;
	char text[48];
	size_t size;
	if (platform_parse(&wanted, asked) < 0)
		return -1;
	scoped_ptr char *whole = image_config(image, &size);
	scoped_json *config = whole ? json_read(whole, size, "the image's config") : NULL;
	if (!config)
		return -1;
	if (platform_suits(config, &wanted, &found))
		return 0;
	failx("image %s is for %s, not for %s", name, platform_text(&found, text), asked);
	return hint("wherry load --platform %s FILE takes that one of an archive with several", asked);
}

int image_explain(const struct store *store, const struct image *image)
{
	for (size_t i = 0; i < image->lower_count; i++) {
		if (faccessat(store->layers, image->lowers[i], F_OK, 0) == 0 || errno != ENOENT)
			continue;
		failure_clear();
		return stack_lacks(store, image->id, image->lowers[i]);
	}
	return -1;
}

void image_close(struct image *image)
{
	free(image->lowers);
	free(image->text);
	scoped_close(&image->lock);
	*image = (struct image){ .lock = -1 };
}

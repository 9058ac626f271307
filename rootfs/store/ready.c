#include "rootfs/store/ready.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rootfs/store/about.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/stack.h"

#define DIRECTORY "ready"
#define VERSION "wherry 1\n"

/* "lower ", a key and a newline; "root " is shorter. */
enum { LINE_BYTES = sizeof("lower ") + DIGEST_HEX };

struct ready_name {
	char text[sizeof(DIRECTORY "/") + DIGEST_HEX];
};

static struct ready_name name_of(const char *hex)
{
	struct ready_name name;
	snprintf(name.text, sizeof(name.text), DIRECTORY "/%s", hex);
	return name;
}

static bool stands_above(const struct digest *keys, int count, int i)
{
	for (int j = i + 1; j < count; j++)
		if (digest_equal(&keys[j], &keys[i]))
			return true;
	return false;
}

/* From the top down, until one hides what is below it (IMAGES.md rules 17 and 18). */
static char *put_layers(char *to, const struct digest *keys, const struct findings *findings, int count)
{
	bool root = false, any = false;
	for (int i = count - 1; i >= 0; i--) {
		const struct findings *found = &findings[i];
		bool last = found->opaque_root || (i == 0 && !any);
		if (found->has_root && !root)
			to += sprintf(to, "root %s\n", keys[i].hex);
		root |= found->has_root;
		if (last || (found->entries && !stands_above(keys, count, i))) {
			to += sprintf(to, "lower %s\n", keys[i].hex);
			any = true;
		}
		if (found->opaque_root)
			break;
	}
	return to;
}

static char *write_text(const json_t *config, const struct digest *keys,
			const struct findings *findings, int count)
{
	json_t *part = json_pack("{s:O?}", "config", json_object_get(config, "config"));
	scoped_ptr char *json = part ? json_dumps(part, JSON_COMPACT) : NULL;
	json_decref(part);
	size_t size = json ? sizeof(VERSION "config \n") + strlen(json) : 0;
	char *text = json ? malloc(size + (size_t)(count + 1) * LINE_BYTES) : NULL;
	if (!text) {
		fail("list the layers of an image");
		return NULL;
	}
	sprintf(put_layers(stpcpy(text, VERSION), keys, findings, count), "config %s\n", json);
	return text;
}

/* The file's content, from what it is a copy of; the caller's to free. NULL with a failure. */
static char *work_out(const struct store *store, const struct image *image)
{
	struct digest id;
	size_t size;
	char what[64];
	memcpy(id.hex, image->id, sizeof(id.hex));
	scoped_ptr char *whole = image_config(image, &size);
	if (!whole)
		return NULL;
	snprintf(what, sizeof(what), "the config of image %.12s", image->id);
	scoped_json *config = json_read(whole, size, what);
	if (!config)
		return NULL;
	scoped_ptr struct digest *keys = NULL;
	scoped_ptr struct findings *findings = NULL;
	int count = stack_read(store, &id, config, &keys, &findings);
	return count < 0 ? NULL : write_text(config, keys, findings, count);
}

/* NULL: there is none. */
static char *read_text(const struct store *store, const char *hex)
{
	struct stat stat;
	struct ready_name name = name_of(hex);
	scoped_fd file = openat(store->root, name.text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0 || fstat(file, &stat) < 0 || stat.st_size > 2 * JSON_BYTES)
		return NULL;
	char *text = malloc((size_t)stat.st_size + 1);
	if (!text || read(file, text, (size_t)stat.st_size) != stat.st_size) {
		free(text);
		return NULL;
	}
	text[stat.st_size] = '\0';
	return text;
}

static bool is_key(const char *line, const char *word, size_t length)
{
	size_t n = strlen(word);
	return length == n + DIGEST_HEX && !strncmp(line, word, n) && digest_is_hex(line + n, DIGEST_HEX);
}

/* Cuts TEXT into lines, which the image points to from then on. False: not all of it is there. */
static bool parse(struct image *image, char *text, char **lowers)
{
	size_t count = 0, length;
	char *line = text + strlen(VERSION);
	if (strncmp(text, VERSION, strlen(VERSION)))
		return false;
	image->root = NULL;
	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		length = (size_t)(end - line);
		*end = '\0';
		if (is_key(line, "lower ", length))
			lowers[count++] = line + strlen("lower ");
		else if (is_key(line, "root ", length))
			image->root = line + strlen("root ");
		else if (strncmp(line, "config ", strlen("config ")) || end[1])
			return false;
		else {
			image->config = line + strlen("config ");
			image->config_size = length - strlen("config ");
			image->lower_count = count;
			return true;
		}
	}
	return false;
}

/* Takes TEXT over. Returns 1; 0: it is not whole; -1 with a failure. */
static int take(struct image *image, char *text)
{
	char **lowers = calloc(strlen(text) / LINE_BYTES + 1, sizeof(*lowers));
	if (!lowers) {
		free(text);
		return fail("list the layers of image %.12s", image->id);
	}
	if (!parse(image, text, lowers)) {
		free(lowers);
		free(text);
		return 0;
	}
	image->text = text;
	image->lowers = lowers;
	return 1;
}

int ready_open(const struct store *store, struct image *image)
{
	char *text = read_text(store, image->id);
	int whole = text ? take(image, text) : 0;
	if (whole)
		return whole < 0 ? -1 : 0;
	text = work_out(store, image);
	return text && take(image, text) > 0 ? 0 : -1;
}

static int write_file(const struct store *store, const struct work *work, const char *hex, const char *text)
{
	if (mkdirat(store->root, DIRECTORY, 0700) < 0 && errno != EEXIST)
		return fail("make %s/" DIRECTORY, store->path);
	scoped_fd dir = openat(store->root, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return fail("open %s/" DIRECTORY, store->path);
	return store_write(work, dir, hex, text, strlen(text));
}

int ready_repair(const struct store *store, const struct work *work, const struct digest *id)
{
	struct image image = { .lock = -1 };
	memcpy(image.id, id->hex, sizeof(image.id));
	scoped_fd config = openat(store->images, id->hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (config < 0)
		return fail("open image %.12s", id->hex);
	image.lock = config;
	scoped_ptr char *wanted = work_out(store, &image);
	scoped_ptr char *found = read_text(store, id->hex);
	if (!wanted)
		return -1;
	if (found && !strcmp(found, wanted))
		return 0;
	return work->dir >= 0 && write_file(store, work, id->hex, wanted) < 0 ? -1 : 1;
}

bool ready_is_there(const struct store *store, const struct digest *id)
{
	struct ready_name name = name_of(id->hex);
	return faccessat(store->root, name.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int ready_write(const struct store *store, const struct work *work, const struct digest *id)
{
	if (ready_is_there(store, id))
		return 0;
	return ready_repair(store, work, id) < 0 ? -1 : 0;
}

void ready_sweep(const struct store *store)
{
	int fd = openat(store->root, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream)
		return;
	for (struct dirent *entry; (entry = readdir(stream));)
		if (entry->d_name[0] != '.' &&
		    faccessat(store->images, entry->d_name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			unlinkat(fd, entry->d_name, 0);
	closedir(stream);
}

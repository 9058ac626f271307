#include "rootfs/store/about.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

struct about_name about_name(const struct digest *key)
{
	struct about_name name;
	snprintf(name.text, sizeof(name.text), "%s.about", key->hex);
	return name;
}

int about_write(int dir, const char *name, const struct findings *found)
{
	char text[320], sum[32] = "";
	if (!found->replaced)
		snprintf(sum, sizeof(sum), "sum %llu\n", (unsigned long long)found->sum);
	int size = snprintf(text, sizeof(text),
			    "entries %llu\nbytes %llu\ndisk %llu\nnames %llu\ncontent %llu\n%s%s%s%s",
			    (unsigned long long)found->entries, (unsigned long long)found->bytes,
			    (unsigned long long)found->disk, (unsigned long long)found->names,
			    (unsigned long long)found->content, sum, found->has_root ? "" : "no-root\n",
			    found->opaque_root ? "opaque-root\n" : "",
			    found->implied ? "implied\n" : "");
	scoped_fd file = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				0600);
	if (file < 0 || write(file, text, size) != size)
		return fail("write %s", name);
	return 0;
}

/* False: nobody writes such a line. */
static bool parse_line(const char *line, struct findings *found)
{
	static const struct {
		const char *word;
		size_t offset;
	} numbers[] = {
		{ "entries ", offsetof(struct findings, entries) },
		{ "bytes ", offsetof(struct findings, bytes) },
		{ "disk ", offsetof(struct findings, disk) },
		{ "names ", offsetof(struct findings, names) },
		{ "content ", offsetof(struct findings, content) },
		{ "sum ", offsetof(struct findings, sum) },
	};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		size_t length = strlen(numbers[i].word);
		if (strncmp(line, numbers[i].word, length))
			continue;
		*(uint64_t *)((char *)found + numbers[i].offset) = strtoull(line + length, NULL, 10);
		if (!strncmp(line, "sum ", 4))
			found->replaced = false;
		return true;
	}
	if (!strcmp(line, "no-root"))
		found->has_root = false;
	else if (!strcmp(line, "opaque-root"))
		found->opaque_root = true;
	else if (!strcmp(line, "implied"))
		found->implied = true;
	else
		return false;
	return true;
}

static int blame_disk(void)
{
	return hint("wherry fsck removes what is damaged; then load the image again");
}

int about_read(const struct store *store, const struct digest *key, struct findings *found)
{
	char text[512];
	struct about_name name = about_name(key);
	*found = (struct findings){ .has_root = true, .replaced = true };
	scoped_fd file = openat(store->layers, name.text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t size = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
	if (size < 0) {
		fail("read %s/layers/%s", store->path, name.text);
		return blame_disk();
	}
	text[size] = '\0';
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (parse_line(line, found))
			continue;
		failx("%s/layers/%s: '%.20s' is nothing that is known of a layer", store->path, name.text, line);
		return blame_disk();
	}
	return 0;
}

/*
 * The JSON documents, without an archive around them: the input is parts with a zero byte between, the index or
 * manifest.json first. Digests would keep a fuzzer out: in the first two parts "@2" and "@3" become the digest
 * and size of those parts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rootfs/archive/archive.h"
#include "rootfs/base/err.h"
#include "rootfs/archive/plan.h"
#include "tests/fuzz/slow.h"

enum { PARTS = 3, PART_BYTES = 65536 };

struct part {
	char text[PART_BYTES];
	size_t size;
};

static struct part parts[PARTS];

/* Puts a descriptor's members where "@N" stands. */
static void refer(struct part *part, char digit, const struct part *other)
{
	static char text[PART_BYTES];
	size_t used = 0;
	struct digest digest = sha256_of(other->text, other->size);
	for (size_t i = 0; i < part->size && used < sizeof(text) - 200; i++) {
		if (part->text[i] == '@' && i + 1 < part->size && part->text[i + 1] == digit) {
			used += snprintf(text + used, 200, "\"digest\":\"sha256:%s\",\"size\":%zu", digest.hex, other->size);
			i++;
		} else {
			text[used++] = part->text[i];
		}
	}
	memcpy(part->text, text, used);
	part->size = used;
}

static void split(const char *data, size_t size)
{
	for (int i = 0; i < PARTS; i++) {
		const char *end = memchr(data, '\0', size);
		size_t length = end && i < PARTS - 1 ? (size_t)(end - data) : size;
		parts[i].size = length < PART_BYTES / 4 ? length : PART_BYTES / 4;
		memcpy(parts[i].text, data, parts[i].size);
		size_t gone = end && length < size ? length + 1 : length;
		data += gone;
		size -= gone;
	}
}

static void add(struct archive *archive, const char *name, const struct part *part, off_t *at)
{
	struct member *member = &archive->members[archive->count++];
	*member = (struct member){ .name = strdup(name), .regular = true, .offset = *at, .size = part->size };
	if (pwrite(archive->file, part->text, part->size, *at) != (ssize_t)part->size)
		abort();
	*at += part->size;
}

static void take(const unsigned char *data, size_t size)
{
	struct archive archive = { .path = "fuzz", .dir = -1 };
	struct plan plan = { 0 };
	off_t at = 0;
	if (size < 1)
		return;
	const struct plan_options options = { .platform = data[0] & 2 ? "linux/arm/v7" : "linux/amd64",
					      .ref = data[0] & 4 ? "1" : NULL, .quiet = true };
	split((const char *)data + 1, size - 1);
	refer(&parts[1], '3', &parts[2]);
	refer(&parts[0], '3', &parts[2]);
	refer(&parts[0], '2', &parts[1]);
	archive.file = memfd_create("archive", MFD_CLOEXEC);
	archive.members = calloc(2 * PARTS, sizeof(*archive.members));
	add(&archive, data[0] & 1 ? "index.json" : "manifest.json", &parts[0], &at);
	for (int i = 1; i < PARTS; i++) {
		char name[128];
		snprintf(name, sizeof(name), "blobs/sha256/%s", sha256_of(parts[i].text, parts[i].size).hex);
		add(&archive, name, &parts[i], &at);
		add(&archive, i == 1 ? "config" : "layer", &parts[i], &at);
	}
	plan_read(&plan, &archive, &options);
	plan_free(&plan);
	archive_close(&archive);
	failure_clear();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	slow_begin();
	take(data, size);
	slow_end(size);
	return 0;
}

/* Files with several names: each is found again, however their numbers are chosen. */
#include "rootfs/layer/links.h"

#include <stdlib.h>

#include "tests/lib/tap.h"

/* So many that searches through all that came before would not end while tests/run waits. */
enum { FILES = 1000000 };

static const struct {
	const char *kind;
	unsigned long long inode, device; /* from one file to the next */
} cases[] = {
	{ "that count on", 1, 0 },
	{ "a page apart", 4096, 0 },
	{ "with the same lower 32 bits", 1ull << 32, 0 },
	{ "with the same lower 44 bits", 1ull << 44, 0 },
	{ "one on each device", 0, 1 },
	{ "that differ as devices do", 1, -1 },
};

static struct stat number(size_t kind, size_t i)
{
	return (struct stat){ .st_ino = i * cases[kind].inode, .st_dev = i * cases[kind].device };
}

/* Each is unknown before, and what was noted of it is found then. */
static bool finds_each(size_t kind)
{
	static char notes[FILES];
	struct links links = { 0 };
	bool right = true;
	for (size_t i = 0; i < FILES && right; i++) {
		struct stat st = number(kind, i);
		right = !links_find(&links, &st) && links_add(&links, &st, &notes[i]) == 0;
	}
	for (size_t i = 0; i < FILES && right; i++) {
		struct stat st = number(kind, i);
		right = links_find(&links, &st) == &notes[i];
	}
	right = right && links.count == FILES && links.room <= 3 * FILES;
	links_free(&links, NULL);
	return right && !links.places;
}

static bool frees_each(void)
{
	struct links links = { 0 };
	for (size_t i = 0; i < 1000; i++) {
		struct stat st = number(0, i);
		if (links_add(&links, &st, malloc(1)) < 0)
			return false;
	}
	links_free(&links, free);
	links_free(&links, free);
	return !links.places && !links.count && !links.room;
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		tap_ok(finds_each(i), "finds %d files again, inodes %s", FILES, cases[i].kind);
	tap_ok(frees_each(), "frees what was noted, and may be freed twice");
	return tap_finish();
}

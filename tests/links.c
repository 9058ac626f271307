/* Files with several names: each is found again, however their numbers are chosen. */
#include "rootfs/links.h"

#include <stdlib.h>
#include <time.h>

#include "tests/tap.h"

enum { FILES = 200000 };

/* One search through all that came before would be half a minute's work. */
static const double most_seconds = 3;

static const struct {
	const char *kind;
	unsigned long long inode, device; /* from one file to the next */
} cases[] = {
	{ "that count on", 1, 0 },
	{ "a page apart", 4096, 0 },
	{ "with the same lower 32 bits", 1ull << 32, 0 },
	{ "with the same lower 46 bits", 1ull << 46, 0 },
	{ "one on each device", 0, 1 },
	{ "that differ as devices do", 1, -1 },
};

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

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
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		double start = seconds();
		bool right = finds_each(i);
		double took = seconds() - start;
		tap_ok(right && took < most_seconds, "finds %d files again, inodes %s (%.3f s)", FILES, cases[i].kind,
		       took);
	}
	tap_ok(frees_each(), "frees what was noted, and may be freed twice");
	return tap_finish();
}

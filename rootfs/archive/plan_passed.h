/* What an archive has beside images for the platform at hand: named, in messages, and passed over. */
#ifndef ROOTFS_ARCHIVE_PLAN_PASSED_H
#define ROOTFS_ARCHIVE_PLAN_PASSED_H

#include <stdbool.h>

#include "rootfs/base/platform.h"

enum { PASSED_MAX = 16, PASSED_REASON = 200 };

struct passed_entry {
	char name[96];
	char reason[PASSED_REASON]; /* a sentence about it; where OTHER: platforms */
	bool other; /* an image, for other platforms */
};

struct passed {
	struct passed_entry entries[PASSED_MAX];
	int count, more; /* MORE: for which there was no room */
	/* Of the entry at hand: why it is foreign. */
	char reason[PASSED_REASON];
	bool other;
};

/* Notes why the entry at hand is foreign. Both return 0. */
int passed_because(struct passed *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int passed_for_platform(struct passed *, const struct platform *);

/* The entry at hand, with the reason noted before, has been passed over: NAME says which it is. */
void passed_add(struct passed *, const char *name);

/* Of entry number FIRST and those after it: an image was found, other platforms' are not missed. */
void passed_drop_platforms(struct passed *, int first);

/* Warns of each, for the archive PATH. */
void passed_tell(const struct passed *, const char *path);

/* The failure that nothing is left for the machine PLATFORM. Returns -1. */
int passed_fail(const struct passed *, const char *path, const struct platform *);

#endif

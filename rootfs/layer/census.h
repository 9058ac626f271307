/* What a tree holds, counted: enough to see that a disk has forgotten some of it. */
#ifndef ROOTFS_LAYER_CENSUS_H
#define ROOTFS_LAYER_CENSUS_H

#include <stdint.h>

struct census {
	uint64_t names;   /* beneath the root */
	uint64_t content; /* bytes of its files, those of a file with several names divided among them */
	uint64_t sum;     /* checksum_of() all that its files hold, each once; 0 where it isn't read */
};

/*
 * Counts what is beneath ROOT; census_read reads it, too. Times are not changed. Both return 0; -1
 * with errno, no failure recorded: ENAMETOOLONG where it is more than PATH_DEPTH directories deep.
 */
int census_take(int root, struct census *);
int census_read(int root, struct census *);

#endif

/* Where a container's files come from: an image of the store, or a directory or file system as it stands. */
#ifndef LAUNCHER_MOUNT_SOURCE_H
#define LAUNCHER_MOUNT_SOURCE_H

#include "launcher/spec/image_config.h"
#include "rootfs/store/image.h"
#include "rootfs/store/inplace.h"
#include "rootfs/store/store.h"

struct source {
	struct store store;
	struct image image;
	struct inplace inplace;     /* an archive that is run as it is: its index, which TREE mounts */
	struct image_config config; /* of a file system in FILE: what FILE.json says; of a directory: none */
	int tree;                   /* the mount of a file system in a file, which LOWERS is in; -1: none */
	char *base;                 /* what LOWERS are relative to; absolute, owned */
	char **lowers;              /* topmost first */
	size_t lower_count;
	const char *top; /* below BASE: whose metadata is that of /; NULL: no layer says; borrowed */
};

enum source_how {
	SOURCE_LOADED,   /* an archive is loaded first */
	SOURCE_IN_PLACE, /* an archive is run as it is, and never looked for in the store: --no-unpack */
};

/*
 * Opens what the command line calls NAME, in the store at ROOT. The source holds its image against
 * removal until source_close. Returns 0; -1 with a failure.
 */
int source_open(struct source *, const char *name, const char *root, const char *platform,
		enum source_how);

/* Accepts what source_open did not finish. */
void source_close(struct source *);

#endif

/*
 * Named volumes: ROOT/volumes/NAME, directories that outlive their containers. A volume that is new or
 * empty is given what the image has in its place first. That is seen by the container's child alone,
 * in its mount namespace: so the parent makes such a volume in ROOT/tmp, and the child fills it, makes
 * it durable, and renames it to where it belongs. With --userns the child may do none of that, and the
 * parent, which has made the container's root itself, does.
 *
 * Locks, by flock(2): ROOT/volumes by who looks at the volumes or changes which there are, parent and
 * child together until the child has renamed; each volume shared by the containers that use it.
 */
#ifndef LAUNCHER_MOUNT_VOLUMES_H
#define LAUNCHER_MOUNT_VOLUMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launcher/spec/spec.h"
#include "rootfs/store/store.h"

/* Those of one container. */
struct volumes {
	struct store store;
	int dir;          /* ROOT/volumes, locked; -1: nothing is to be filled */
	struct work work; /* holds those that are to be filled, each under its name */
	int *held;        /* each volume, locked */
	size_t held_count;
};

/*
 * Opens the volumes that SPEC's mounts name, in the store at ROOT, both made where they don't exist, and
 * fills in the mounts' sources. Returns 0, or -1 with a failure.
 */
int volumes_open(struct volumes *, const char *root, struct spec *);

static inline bool volumes_wait(const struct volumes *volumes)
{
	return volumes->work.dir >= 0;
}

/*
 * Where some of them wait for it, once. ROOT is the container's root with nothing mounted in it yet:
 * above all no /proc, whose links could lead a hostile image out of it. Returns 0, or -1 with a failure.
 */
int volumes_fill(const struct volumes *, int root, const struct spec *);

/* In the child: it has no way to the store any more. */
void volumes_leave(const struct volumes *);

/* In the parent, when the program runs: nothing is to be filled any more. May be called twice. */
void volumes_settle(struct volumes *);

/* Accepts what volumes_open did not finish. */
void volumes_close(struct volumes *);

/* For `wherry volume`. */
struct volume {
	char *name;
	uint64_t files, bytes;
	bool used;
};

struct volume_list {
	struct volume *at;
	size_t count;
};

/* All volumes, by name. The list is the caller's. Returns 0, or -1 with a failure; so do the next. */
int volumes_list(const char *root, struct volume_list *);
void volumes_free(struct volume_list *);

/* An empty one; one that is there already stays as it is. */
int volumes_create(const char *root, const char *name);

/* With all that is in it, unless a container uses it. */
int volumes_remove(const char *root, const char *name);

/* Used among the files that write it. */

/* The directory NAME in DIR, no link; -1 with errno. */
int volumes_enter(int dir, const char *name);
/* ROOT/volumes, locked; -1 with a failure, or with none where there is no such directory. */
int volumes_lock(const struct store *);
/* The same, made where there is none. */
int volumes_make(const struct store *);
/* A volume as a directory is that the image doesn't have: of the container's root. Open, the caller's. */
int volumes_make_one(int dir, const char *name, const struct ids *);

#endif

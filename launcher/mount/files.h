/* The files that every container gets of its own: /etc/hosts, /etc/hostname, /etc/resolv.conf. */
#ifndef LAUNCHER_MOUNT_FILES_H
#define LAUNCHER_MOUNT_FILES_H

#include "launcher/spec/spec.h"

enum { FILES_COUNT = 3 };

/* Where file I belongs in the container, and its path below the staging directory. */
struct own_file {
	const char *name, *target;
};
extern const struct own_file own_files[FILES_COUNT];

/*
 * Writes them into staging, a tmpfs. With the host's network, hosts and resolv.conf are copies of the
 * host's. Returns 0, or -1 with a failure.
 */
int files_write(const struct spec *);

#endif

/* What stands in a container's /etc/resolv.conf. */
#ifndef LAUNCHER_MOUNT_RESOLV_H
#define LAUNCHER_MOUNT_RESOLV_H

#include "launcher/spec/spec.h"

/*
 * Writes it to FILE: what --dns, --dns-search and --dns-option say, and for each of them that is not given what the
 * host's own says, as far as SPEC's network leads there: no name server of the host's loopback, but the ones behind
 * it. Returns 0, or -1 with a failure.
 */
int resolv_write(int file, const struct spec *);

#endif

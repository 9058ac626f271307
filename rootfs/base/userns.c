#include "rootfs/base/userns.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rootfs/base/scoped.h"

/* The first line of our own map, which the first namespace has too: user_namespaces(7). */
struct map {
	unsigned long inside, outside, count;
};

/* Returns false where there is no /proc, or a kernel without user namespaces. */
static bool read_map(struct map *map)
{
	char text[128] = "";
	scoped_fd file = openat(AT_FDCWD, "/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	return file >= 0 && read(file, text, sizeof(text) - 1) > 0 &&
	       sscanf(text, "%lu %lu %lu", &map->inside, &map->outside, &map->count) == 3;
}

/* The first namespace maps all users to themselves. */
static bool maps_everybody(void)
{
	struct map map;
	return !read_map(&map) || map.count == 4294967295;
}

bool userns_inside(void)
{
	return geteuid() != 0 || !maps_everybody();
}

unsigned userns_root(void)
{
	struct map map;
	return read_map(&map) && map.inside == 0 ? (unsigned)map.outside : 0;
}

const char *userns_overlay_opaque(void)
{
	return userns_inside() ? "user.overlay.opaque" : "trusted.overlay.opaque";
}

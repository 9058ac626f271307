#include "rootfs/userns.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rootfs/scoped.h"

/* The first namespace maps all users to themselves: user_namespaces(7). */
static bool maps_everybody(void)
{
	char text[128] = "";
	unsigned long inside, outside, count;
	scoped_fd map = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	if (map < 0 || read(map, text, sizeof(text) - 1) <= 0)
		return true; /* no /proc, or a kernel without user namespaces */
	return sscanf(text, "%lu %lu %lu", &inside, &outside, &count) == 3 && count == 4294967295;
}

bool userns_inside(void)
{
	return geteuid() != 0 || !maps_everybody();
}

const char *userns_overlay_opaque(void)
{
	return userns_inside() ? "user.overlay.opaque" : "trusted.overlay.opaque";
}

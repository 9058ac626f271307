#include "rootfs/layer/left_out.h"

#include <stdio.h>

#include "rootfs/base/err.h"

void left_out_attribute(struct left_out *left_out, const char *name)
{
	if (!*left_out->attribute)
		snprintf(left_out->attribute, sizeof(left_out->attribute), "%s", name);
}

void left_out_add(struct left_out *left_out, const struct left_out *more)
{
	left_out->devices |= more->devices;
	left_out->owners |= more->owners;
	left_out_attribute(left_out, more->attribute);
}

void left_out_tell(const struct left_out *left_out)
{
	if (left_out->devices)
		warn("device nodes are left out: they can't be made without root's rights");
	if (left_out->owners)
		warn("owners are left out that /etc/subuid and /etc/subgid don't reach: root has "
		     "their files");
	if (*left_out->attribute)
		warn("extended attributes are left out: the store's file system or the file's type "
		     "has none of %s",
		     left_out->attribute);
}

#include "rootfs/attributes.h"

#include <linux/limits.h>
#include <string.h>
#include <sys/types.h>
#include <sys/xattr.h>

int attributes_copy(int from, int to)
{
	static char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX];
	ssize_t size = flistxattr(from, names, sizeof(names));
	for (char *name = names; name < names + size; name += strlen(name) + 1) {
		if (strncmp(name, "user.", 5) || !strncmp(name, "user.overlay.", 13))
			continue;
		ssize_t length = fgetxattr(from, name, value, sizeof(value));
		if (length < 0 || fsetxattr(to, name, value, length, 0) < 0)
			return -1;
	}
	return 0;
}

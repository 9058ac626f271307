#include "rootfs/layer/attributes.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/xattr.h>

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

bool attributes_is_kept(const char *name)
{
	if (begins(name, "user.overlay."))
		return false;
	return begins(name, "user.") || !strcmp(name, "security.capability");
}

ssize_t attributes_list(int file, const char **names)
{
	static char list[XATTR_LIST_MAX];
	*names = list;
	ssize_t size = flistxattr(file, list, sizeof(list));
	return size < 0 && errno == ENOTSUP ? 0 : size;
}

int attributes_copy(int from, int to)
{
	static char value[XATTR_SIZE_MAX];
	const char *names;
	ssize_t size = attributes_list(from, &names);
	for (const char *name = names; name < names + size; name += strlen(name) + 1) {
		if (!attributes_is_kept(name))
			continue;
		ssize_t length = fgetxattr(from, name, value, sizeof(value));
		if (length < 0 || fsetxattr(to, name, value, length, 0) < 0)
			return -1;
	}
	return size < 0 ? -1 : 0;
}

#include "rootfs/base/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

DIR *dir_from(int fd)
{
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream && fd >= 0)
		close(fd);
	return stream;
}

DIR *dir_open(int dir, const char *name)
{
	return dir_from(openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

const struct dirent *dir_next(DIR *stream)
{
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(stream);
		if (!entry || (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")))
			return entry;
	}
}

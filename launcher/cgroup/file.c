#include "launcher/cgroup/file.h"

#include <fcntl.h>
#include <string.h>

#include "rootfs/base/scoped.h"

int cgroup_write(int dir, const char *name, const char *text)
{
	scoped_fd file = openat(dir, name, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	return write(file, text, strlen(text)) < 0 ? -1 : 0;
}

ssize_t cgroup_read(int dir, const char *name, char *text, size_t size)
{
	text[0] = '\0';
	scoped_fd file = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	ssize_t n = read(file, text, size - 1);
	text[n < 0 ? 0 : n] = '\0';
	return n;
}

bool cgroup_list_has(const char *list, char separator, const char *word)
{
	size_t length = strlen(word);
	while (*list) {
		size_t n = strcspn(list, (char[]){ separator, '\n', '\0' });
		if (n == length && !memcmp(list, word, n))
			return true;
		list += n;
		if (*list)
			list++;
	}
	return false;
}

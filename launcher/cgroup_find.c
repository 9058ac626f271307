#include "launcher/cgroup_find.h"

#include <stdio.h>
#include <string.h>

#include "rootfs/err.h"

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

/* mountinfo writes space, tab, newline and backslash as \ooo (proc(5)). */
static void unescape(char *text)
{
	char *to = text;
	for (const char *from = text; *from; to++) {
		unsigned value;
		if (*from == '\\' && sscanf(from + 1, "%3o", &value) == 1) {
			*to = (char)value;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The fields of a line are in proc(5): "36 35 98:0 /root /mount/point options … - type source super". */
static void read_line(char *line, struct cgroup_mounts *mounts)
{
	char *rest = strstr(line, " - cgroup");
	if (!rest || mounts->count == CGROUP_MOUNTS_MAX)
		return;
	struct cgroup_mount *mount = &mounts->at[mounts->count];
	*rest = '\0';
	char type[16];
	if (sscanf(rest + 3, "%15s %*s %159s", type, mount->controllers) != 2 ||
	    sscanf(line, "%*s %*s %*s %*s %159s", mount->path) != 1)
		return;
	mount->unified = !strcmp(type, "cgroup2");
	if (mount->unified)
		mount->controllers[0] = '\0';
	unescape(mount->path);
	mounts->count++;
}

int cgroup_find(struct cgroup_mounts *mounts)
{
	mounts->count = 0;
	FILE *file = fopen("/proc/self/mountinfo", "re");
	if (!file) {
		fail("find the cgroups in /proc/self/mountinfo");
		return hint("limits need /proc: mount -t proc proc /proc");
	}
	/* Longer lines are other file systems' (overlay lists its lowers): they come in parts. */
	char line[1024];
	while (fgets(line, sizeof(line), file))
		read_line(line, mounts);
	fclose(file);
	return 0;
}

/* The small files of a cgroup. */
#ifndef LAUNCHER_CGROUP_FILE_H
#define LAUNCHER_CGROUP_FILE_H

#include <stdbool.h>
#include <sys/types.h>

/* Returns 0, or -1 with errno. */
int cgroup_write(int dir, const char *file, const char *text);

/* Returns the length, or -1 with errno; TEXT ends with NUL. */
ssize_t cgroup_read(int dir, const char *file, char *text, size_t size);

/* Whether WORD is one of the words of LIST, which SEPARATOR parts. */
bool cgroup_list_has(const char *list, char separator, const char *word);

#endif

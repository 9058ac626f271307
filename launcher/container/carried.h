/* The init that wherry carries, as a descriptor that can be executed. */
#ifndef LAUNCHER_CONTAINER_CARRIED_H
#define LAUNCHER_CONTAINER_CARRIED_H

/*
 * A sealed copy in memory of the init at PATH, or of the carried one where PATH is NULL: what the
 * container's root finds as /proc/1/exe can be written by nobody (CVE-2019-5736 was that). Nor can it be read
 * by its owner: who executes it without CAP_DAC_OVERRIDE is not dumpable from its first instruction on (execve(2)).
 * Returns a descriptor, close-on-exec, the caller's; -1 with a failure.
 */
int carried_open(const char *path);

#endif

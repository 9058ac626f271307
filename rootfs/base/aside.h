/* Work that takes a process of its own, because it changes what belongs to a process. */
#ifndef ROOTFS_BASE_ASIDE_H
#define ROOTFS_BASE_ASIDE_H

/*
 * Runs WORK(ARGUMENT) in a process with FLAGS of clone(2), and waits for its end. It has the caller's memory
 * and descriptors, so that what it opens, writes and fails with is the caller's; but a root and a working
 * directory of its own. Returns 0 where WORK returned 0, or -1 with a failure.
 */
int aside(int flags, int (*work)(void *), void *argument);

#endif

/* openat2(2), Linux 5.6, which musl 1.2.3 has no function for. */
#ifndef ROOTFS_BASE_OPENAT2_H
#define ROOTFS_BASE_OPENAT2_H

#include <errno.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

/* EAGAIN: somebody renamed or mounted something, and the kernel lost sight of a ".." (openat2(2)). */
static inline int sys_openat2(int dir, const char *path, const struct open_how *how)
{
	int fd;
	do
		fd = (int)syscall(SYS_openat2, dir, path, how, sizeof(*how));
	while (fd < 0 && errno == EAGAIN);
	return fd;
}

#endif

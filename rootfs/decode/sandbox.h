/* What a process gives up before it reads a stranger's bytes. */
#ifndef ROOTFS_DECODE_SANDBOX_H
#define ROOTFS_DECODE_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Leaves the calling process with memory, a processor and the two descriptors: no file, no
 * network, no new process, no privileges, MEMORY bytes and SECONDS of processor time, and it dies
 * with PARENT. Returns 0; -1 where the kernel won't: then nothing may be decoded. One thread only.
 */
int sandbox_enter(int read_fd, int write_fd, uint64_t memory, uint64_t seconds, pid_t parent);

#endif

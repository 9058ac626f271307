/* Another container's IPC namespace and what is mounted for it: --ipc container:NAME. */
#ifndef LAUNCHER_MOUNT_IPC_H
#define LAUNCHER_MOUNT_IPC_H

#include <stdint.h>

enum { IPC_DIRECTORIES = 2 };

/* Where shared memory and message queues are files: shm_overview(7), mq_overview(7). */
extern const char *const ipc_directories[IPC_DIRECTORIES];

/* What has been taken of the other container; -1: nothing. */
struct ipc {
	int trees[IPC_DIRECTORIES]; /* copies of its mounts, detached, in the order of ipc_directories */
};

/*
 * The calling process, which has one thread, enters the IPC namespace of the container NAME, whose first process
 * has the pidfd INIT and whose root is OTHER outside, for good. Returns 0; -1 with a failure: it has a user namespace
 * with other ids than ours, whose root is ROOT outside.
 */
int ipc_join(struct ipc *, const char *name, int init, uint32_t other, uint32_t root);

/* May be called twice, and on what ipc_join did not finish. */
void ipc_close(struct ipc *);

#endif

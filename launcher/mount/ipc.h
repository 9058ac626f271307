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
 * The calling process, which has one thread, enters the IPC namespace of the container NAME of the state
 * directory STATE, for good. Returns 0; -1 with a failure: nothing of that name runs, or it keeps its IPC
 * to itself, or has a user namespace with other ids than ours, whose root is ROOT outside.
 */
int ipc_join(struct ipc *, const char *state, const char *name, uint32_t root);

/* May be called twice, and on what ipc_join did not finish. */
void ipc_close(struct ipc *);

#endif

/* The container's network namespace. */
#ifndef LAUNCHER_NET_NET_H
#define LAUNCHER_NET_NET_H

/*
 * Moves the calling process into a new network namespace, with its loopback up. The supervisor makes
 * it for its container, and stays: it has no use for a network of its own.
 */
int net_create(void);

/* Moves the calling process into the network namespace of the process that PIDFD refers to (Linux 5.8). */
int net_join(int pidfd);

#endif

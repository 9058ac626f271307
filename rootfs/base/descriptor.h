/* An open file goes from one process to another: unix(7), SCM_RIGHTS. */
#ifndef ROOTFS_BASE_DESCRIPTOR_H
#define ROOTFS_BASE_DESCRIPTOR_H

#include <sys/types.h>

/* With a byte that says something. Returns 0; -1 with errno, EPIPE where nobody is at the other end. */
int descriptor_send(int socket, int descriptor, int byte);

/* Close-on-exec, the caller's. -1 with errno: none came; 0: the other end is gone. */
int descriptor_receive(int socket, int *byte);

/* One message of a SOCK_SEQPACKET, as recv(2), with the descriptor that came with it: the caller's; -1: none did. */
ssize_t descriptor_receive_message(int socket, void *bytes, size_t size, int flags, int *descriptor);

#endif

#include "rootfs/base/descriptor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Room for one descriptor, aligned as its header wants it. */
union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

int descriptor_send(int socket, int descriptor, int byte)
{
	union control control = { 0 };
	char said = (char)byte;
	struct iovec part = { &said, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

ssize_t descriptor_receive_message(int socket, void *bytes, size_t size, int flags, int *descriptor)
{
	union control control = { 0 };
	struct iovec part = { bytes, size };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	*descriptor = -1;
	if (header)
		memcpy(descriptor, CMSG_DATA(header), sizeof(int));
	return n;
}

int descriptor_receive(int socket, int *byte)
{
	char said;
	int descriptor;
	ssize_t n = descriptor_receive_message(socket, &said, 1, 0, &descriptor);
	if (descriptor < 0)
		errno = n < 0 ? errno : n > 0 ? EMFILE : 0; /* EMFILE: the kernel had no number for it (unix(7)) */
	else
		*byte = said;
	return descriptor;
}

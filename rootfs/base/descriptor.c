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

int descriptor_receive(int socket, int *byte)
{
	union control control = { 0 };
	char said;
	struct iovec part = { &said, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int descriptor;
	ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = n == 1 ? CMSG_FIRSTHDR(&message) : NULL;
	if (!header) {
		errno = n < 0 ? errno : n > 0 ? EMFILE : 0; /* EMFILE: the kernel had no number for it (unix(7)) */
		return -1;
	}
	memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
	*byte = said;
	return descriptor;
}

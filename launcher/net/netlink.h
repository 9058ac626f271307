/* Netlink: messages built, sent in one piece, and answered (netlink(7)). */
#ifndef LAUNCHER_NET_NETLINK_H
#define LAUNCHER_NET_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Messages for one send, in memory of their own. What doesn't fit any more, because there is no memory,
 * shows when they are sent. Zero is an empty one.
 */
struct netlink {
	char *data;
	size_t used, size;
	size_t message;     /* where the last one begins */
	unsigned count;     /* of the messages */
	unsigned failed;    /* once sent: the message that the kernel refused first, 1 for the first; 0: none */
	int error;          /* the errno that it gave */
	char text[96];      /* what the kernel says of it, or "" (NETLINK_EXT_ACK, Linux 4.12) */
};

/* A socket of PROTOCOL (NETLINK_ROUTE …) in this process' network namespace. -1 with a failure. */
int netlink_open(int protocol);

/* A new message, with NLM_F_REQUEST and FLAGS, and its fixed HEADER. */
void netlink_message(struct netlink *, int type, int flags, const void *header, size_t size);
#define NETLINK_MESSAGE(to, type, flags, ...) \
	netlink_message(to, type, flags, &(__VA_ARGS__), sizeof(__VA_ARGS__))

/* Attributes of the last message. _be is in network byte order. */
void netlink_put(struct netlink *, int attribute, const void *value, size_t size);
void netlink_put_text(struct netlink *, int attribute, const char *text);
void netlink_put_8(struct netlink *, int attribute, uint8_t value);
void netlink_put_32(struct netlink *, int attribute, uint32_t value);
void netlink_put_be32(struct netlink *, int attribute, uint32_t value);

/* What is put between the two is inside ATTRIBUTE; a message's HEADER may stand before it (veth's peer). */
size_t netlink_nest(struct netlink *, int attribute, const void *header, size_t size);
void netlink_end(struct netlink *, size_t nest);

/*
 * Sends them, waits for their answers, and empties *TO. READ, where it isn't NULL, is called for each message
 * that isn't an acknowledgement. Returns 0; -1 with errno: of the first message that was refused.
 */
int netlink_send(struct netlink *to, int socket, void (*read)(const struct nlmsghdr *, void *), void *argument);

/* The attribute of that type among SIZE bytes at FROM; NULL: there is none. Its payload and how long it is. */
const struct nlattr *netlink_find(const void *from, size_t size, int attribute);
const void *netlink_payload(const struct nlattr *);
size_t netlink_size(const struct nlattr *);

/* What stands behind a message's header of SIZE bytes, and how much that is. */
const void *netlink_attributes(const struct nlmsghdr *, size_t header, size_t *size);

#endif

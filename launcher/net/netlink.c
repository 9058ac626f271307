#include "launcher/net/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/*
 * ROOM: of a batch, and of an answer, which the kernel makes no larger (NLMSG_GOODSIZE is less). Mapped, not
 * from the heap: it is given back, and the supervisor stays as small as it was.
 */
enum { ROOM = 32 << 10 };

int netlink_open(int protocol)
{
	int on = 1;
	scoped_fd socket_ = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	if (socket_ < 0 || bind(socket_, (struct sockaddr *)&address, sizeof(address)) < 0)
		return fail("open a netlink socket");
	/* What fails here costs a longer answer, or the kernel's own words. */
	setsockopt(socket_, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(socket_, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	return take_fd(&socket_);
}

/* NULL where there is no memory: then used is beyond size, which netlink_send sees. */
static void *grow(struct netlink *to, size_t size)
{
	size_t at = to->used, end = at + NLMSG_ALIGN(size);
	to->used = end;
	if (end > to->size && at <= to->size) {
		size_t room = to->size ? to->size * 2 : ROOM;
		while (room < end)
			room *= 2;
		void *data = to->size ? mremap(to->data, to->size, room, MREMAP_MAYMOVE)
				      : mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (data == MAP_FAILED)
			return NULL;
		to->data = data;
		to->size = room;
	}
	return end <= to->size ? to->data + at : NULL;
}

static void set_length(struct netlink *to)
{
	if (to->used <= to->size)
		((struct nlmsghdr *)(to->data + to->message))->nlmsg_len = (uint32_t)(to->used - to->message);
}

void netlink_message(struct netlink *to, int type, int flags, const void *header, size_t size)
{
	to->message = to->used;
	to->count++;
	struct nlmsghdr *message = grow(to, NLMSG_HDRLEN);
	if (message)
		*message = (struct nlmsghdr){
			.nlmsg_type = (uint16_t)type,
			.nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST),
			.nlmsg_seq = to->count,
		};
	void *behind = grow(to, size);
	if (behind)
		memcpy(behind, header, size);
	set_length(to);
}

void netlink_put(struct netlink *to, int attribute, const void *value, size_t size)
{
	struct nlattr *at = grow(to, NLA_HDRLEN + size);
	if (at) {
		*at = (struct nlattr){ (uint16_t)(NLA_HDRLEN + size), (uint16_t)attribute };
		if (size)
			memcpy((char *)at + NLA_HDRLEN, value, size);
	}
	set_length(to);
}

void netlink_put_text(struct netlink *to, int attribute, const char *text)
{
	netlink_put(to, attribute, text, strlen(text) + 1);
}

void netlink_put_8(struct netlink *to, int attribute, uint8_t value)
{
	netlink_put(to, attribute, &value, sizeof(value));
}

void netlink_put_32(struct netlink *to, int attribute, uint32_t value)
{
	netlink_put(to, attribute, &value, sizeof(value));
}

void netlink_put_be32(struct netlink *to, int attribute, uint32_t value)
{
	netlink_put_32(to, attribute, htonl(value));
}

size_t netlink_nest(struct netlink *to, int attribute, const void *header, size_t size)
{
	size_t at = to->used;
	netlink_put(to, attribute | NLA_F_NESTED, header, size);
	return at;
}

void netlink_end(struct netlink *to, size_t nest)
{
	if (to->used <= to->size)
		((struct nlattr *)(to->data + nest))->nla_len = (uint16_t)(to->used - nest);
}

const void *netlink_attributes(const struct nlmsghdr *message, size_t header, size_t *size)
{
	size_t before = NLMSG_HDRLEN + NLMSG_ALIGN(header);
	*size = message->nlmsg_len > before ? message->nlmsg_len - before : 0;
	return (const char *)message + before;
}

const struct nlattr *netlink_find(const void *from, size_t size, int attribute)
{
	const char *at = from;
	while (size >= NLA_HDRLEN) {
		const struct nlattr *one = (const void *)at;
		size_t step = NLA_ALIGN(one->nla_len);
		if (one->nla_len < NLA_HDRLEN || one->nla_len > size)
			break;
		if ((one->nla_type & NLA_TYPE_MASK) == attribute)
			return one;
		if (step >= size)
			break;
		at += step;
		size -= step;
	}
	return NULL;
}

const void *netlink_payload(const struct nlattr *attribute)
{
	return (const char *)attribute + NLA_HDRLEN;
}

size_t netlink_size(const struct nlattr *attribute)
{
	return attribute->nla_len - (size_t)NLA_HDRLEN;
}

/* The kernel's words stand behind the header of the message that they are about: NETLINK_CAP_ACK. */
static void take_refusal(struct netlink *to, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = NLMSG_DATA(message);
	if (to->failed)
		return;
	to->failed = error->msg.nlmsg_seq;
	to->error = -error->error;
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || !(message->nlmsg_flags & NLM_F_CAPPED))
		return;
	size_t size;
	const void *from = netlink_attributes(message, sizeof(*error), &size);
	const struct nlattr *text = netlink_find(from, size, NLMSGERR_ATTR_MSG);
	if (text)
		snprintf(to->text, sizeof(to->text), "%.*s", (int)netlink_size(text),
			 (const char *)netlink_payload(text));
}

static void take_answers(struct netlink *to, size_t size, void (*read)(const struct nlmsghdr *, void *),
			 void *argument)
{
	for (const struct nlmsghdr *at = (const void *)to->data; NLMSG_OK(at, size); at = NLMSG_NEXT(at, size)) {
		const struct nlmsgerr *said = NLMSG_DATA(at);
		if (at->nlmsg_type == NLMSG_ERROR && said->error)
			take_refusal(to, at);
		else if (at->nlmsg_type >= NLMSG_MIN_TYPE && read)
			read(at, argument);
	}
}

/*
 * Route and nf_tables have done all by the time that sendto(2) returns, and their answers wait; of a dump the
 * first part does, and each further one is made when the one before it is read (af_netlink.c).
 */
static int take_all(struct netlink *to, int socket, void (*read)(const struct nlmsghdr *, void *), void *argument)
{
	for (;;) {
		ssize_t n = recv(socket, to->data, to->size, MSG_DONTWAIT);
		if (n >= 0)
			take_answers(to, (size_t)n, read, argument);
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			return -1;
	}
	errno = to->error;
	return to->failed ? -1 : 0;
}

int netlink_send(struct netlink *to, int socket, void (*read)(const struct nlmsghdr *, void *), void *argument)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int r = -1;
	to->failed = 0;
	to->error = 0;
	to->text[0] = '\0';
	if (to->used > to->size)
		errno = ENOMEM;
	else if (sendto(socket, to->data, to->used, 0, (struct sockaddr *)&kernel, sizeof(kernel)) >= 0)
		r = take_all(to, socket, read, argument);
	int error = errno;
	if (to->size)
		munmap(to->data, to->size);
	to->data = NULL;
	to->used = to->size = 0;
	to->count = 0;
	errno = error;
	return r;
}

#include "launcher/net/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t fill(union address *address, const struct publish *publish, int family, int port)
{
	memset(address, 0, sizeof(*address));
	if (family == AF_INET) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((uint16_t)port);
		memcpy(&address->v4.sin_addr, &publish->address, 4);
		return sizeof(address->v4);
	}
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = htons((uint16_t)port);
	address->v6.sin6_addr = publish->address;
	return sizeof(address->v6);
}

/* A socket bound to [::] holds the port of every address, those of IPv4 too (ipv6(7), IPV6_V6ONLY). */
static int bind_one(const struct publish *publish, int port)
{
	union address address;
	int off = 0, any = publish->family == AF_UNSPEC, least = 1;
	int family = any ? AF_INET6 : publish->family, type = publish->udp ? SOCK_DGRAM : SOCK_STREAM;
	scoped_fd held = socket(family, type | SOCK_CLOEXEC, 0);
	if (held < 0 && any && errno == EAFNOSUPPORT) {
		family = AF_INET;
		held = socket(family, type | SOCK_CLOEXEC, 0);
	}
	if (held < 0)
		return -1;
	if (any && family == AF_INET6)
		setsockopt(held, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(held, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)); /* nobody reads what may come */
	socklen_t size = fill(&address, publish, family, port);
	return bind(held, &address.any, size) < 0 ? -1 : take_fd(&held);
}

static int port_of(int socket)
{
	union address address;
	socklen_t size = sizeof(address);
	return getsockname(socket, &address.any, &size) < 0 ? -1 : ntohs(address.v4.sin_port); /* v6's is there, too */
}

static int explain(const struct publish *publish, int port)
{
	int error = errno;
	fail("publish %s: port %d/%s", publish->word, port, publish->udp ? "udp" : "tcp");
	if (error == EADDRINUSE)
		return hint("`ss -%clnp` shows what has it", publish->udp ? 'u' : 't');
	if (error == EADDRNOTAVAIL)
		return hint("the host has no such address");
	return -1;
}

int ports_open(struct ports *ports, struct net *net)
{
	size_t count = 0;
	*ports = (struct ports){ 0 };
	for (size_t i = 0; i < net->port_count; i++)
		count += net->ports[i].count;
	ports->at = malloc(count * sizeof(int));
	if (count && !ports->at)
		return fail("publish ports");
	for (size_t i = 0; i < net->port_count; i++) {
		struct publish *publish = &net->ports[i];
		for (int n = 0; n < publish->count; n++) {
			int held = bind_one(publish, publish->host ? publish->host + n : 0);
			if (held < 0)
				return explain(publish, publish->host + n);
			ports->at[ports->count++] = held;
			if (!publish->host)
				publish->host = (uint16_t)port_of(held);
		}
	}
	return 0;
}

void ports_close(struct ports *ports)
{
	while (ports->count)
		close(ports->at[--ports->count]);
	free(ports->at);
	ports->at = NULL;
}

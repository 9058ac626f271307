/* Which network a container has, and how it looks from outside. */
#ifndef LAUNCHER_SPEC_NET_H
#define LAUNCHER_SPEC_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NONE: of its own, with loopback alone. CONTAINER and PATH: somebody else's. As docker-run(1) calls them. */
enum network_kind { NETWORK_NONE, NETWORK_HOST, NETWORK_BRIDGE, NETWORK_CONTAINER, NETWORK_PATH };

/* COUNT ports from HOST on lead to as many from CONTAINER on. */
struct publish {
	const char *word; /* as it was asked for */
	int family;       /* AF_INET, AF_INET6; AF_UNSPEC: every address of the host's */
	struct in6_addr address; /* of the host; IPv4: its first four bytes */
	uint16_t host;           /* 0: any that is free, which is then noted here */
	uint16_t container, count;
	bool udp;
};

/* An address in both forms; empty text: none. */
struct net_address {
	struct in6_addr bytes; /* IPv4: its first four */
	char text[INET6_ADDRSTRLEN];
};

/* What the container has in one family. */
struct net_family {
	struct net_address address, gateway;
	int prefix; /* bits of the network */
};

struct net {
	enum network_kind kind;
	const char *of; /* CONTAINER: its name; PATH: a file */
	struct publish *ports;
	size_t port_count;
	struct in_addr ip; /* --ip; 0: any */
	bool has_mac;
	unsigned char mac[6]; /* --mac-address */
	/* BRIDGE: from net_open on */
	struct net_family v4, v6;
};

/* Its network namespace is one that wherry makes for it. */
static inline bool net_is_own(const struct net *net)
{
	return net->kind == NETWORK_NONE || net->kind == NETWORK_BRIDGE;
}

#endif

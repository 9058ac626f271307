/* rtnetlink(7): interfaces, their addresses and routes. */
#ifndef LAUNCHER_NET_LINK_H
#define LAUNCHER_NET_LINK_H

#include <stdbool.h>
#include <sys/types.h>

#include "launcher/spec/net.h"

struct link {
	int index;
	bool on;         /* it is switched on (IFF_UP) */
	bool up;         /* it has a carrier, and the kernel has taken notice (IFLA_OPERSTATE) */
	char kind[16];   /* "bridge"; "": of hardware */
	char alias[256]; /* IFALIASZ, linux/if.h */
};

/* In the namespace of the socket ROUTE. Returns 1, 0 where there is none of that name, -1 with a failure. */
int link_find(int route, const char *name, struct link *);

/* Makes a bridge, without addresses and not up. ALIAS says whose it is. Returns 0, or -1 with a failure. */
int link_make_bridge(int route, const char *name, const unsigned char mac[6], const char *alias);

/* The link, and with a bridge whatever it had. It takes the kernel some 20 ms. None: 0. Otherwise -1 with errno, no failure
 * recorded. */
int link_remove(int route, const char *name);

/*
 * A pair: NAME at the bridge MASTER here, eth0 in the network namespace of the process INSIDE, which is
 * not up yet. */
struct link_pair {
	const char *name;
	int master;
	pid_t inside; /* as this process sees it */
	const unsigned char *mac; /* of eth0 */
	bool hairpin; /* what eth0 sends may come back to it */
};
int link_make_pair(int route, const struct link_pair *);

int link_bring_up(int route, int index);

/* The address of a link, and for IPv6 without a second's search for who else may have it. */
int link_add_address(int route, int index, const struct net_family *, int family, bool gateway);

/* The default route, by the gateway. */
int link_add_route(int route, int index, const struct net_family *, int family);

/* Waits, two seconds at most, until the link NAME is up. */
int link_wait(int route, const char *name);

/* The first address of the link in this family, as a gateway of its network. Returns whether there is one. */
bool link_gateway(int route, int index, int family, struct net_family *);

/* Whether anything that the routes of this machine lead to, but for "everywhere", overlaps ADDRESS/PREFIX. */
int link_overlaps(int route, int family, const struct in6_addr *address, int prefix);

#endif

/* The bridge that the containers of one state directory share: wherry0, wherry1 …. */
#ifndef LAUNCHER_NET_BRIDGE_H
#define LAUNCHER_NET_BRIDGE_H

#include <net/if.h>

#include "launcher/spec/net.h"

struct bridge {
	char name[IFNAMSIZ];
	int index;
};

/*
 * Finds STATE's bridge in the namespace of the socket ROUTE, which is this process' own, or makes it: up, with
 * addresses, the machine forwarding. NET gets its networks and gateways. To be called with the leases' lock held, as
 * the next. Returns 0, or -1 with a failure.
 */
int bridge_make(int route, const char *state, struct bridge *, struct net *net);

/* Removes STATE's bridge, and switches off what was switched on for it. */
void bridge_remove(int route, const char *state);

#endif

/* Published ports: held on the host, so that nobody else takes them meanwhile. */
#ifndef LAUNCHER_NET_PORTS_H
#define LAUNCHER_NET_PORTS_H

#include "launcher/spec/net.h"

struct ports {
	int *at;
	size_t count;
};

/*
 * Binds a socket to each port of NET, in this process' network namespace; none of them listens. A port 0 is then
 * the one that the kernel gave. Returns 0; -1 with a failure that names the port.
 */
int ports_open(struct ports *, struct net *);
void ports_close(struct ports *);

#endif

/* The container's network namespace, and what leads to it from outside. */
#ifndef LAUNCHER_NET_NET_H
#define LAUNCHER_NET_NET_H

#include <net/if.h>
#include <sys/types.h>

#include "launcher/net/bridge.h"
#include "launcher/net/ports.h"
#include "launcher/spec/net.h"

/*
 * What the supervisor holds as long as its container lives; with the supervisor it ends. Its order is that in which
 * it is made.
 */
struct network {
	const char *state; /* borrowed; absolute */
	int host;          /* the network namespace that we come from; -1: nothing of ours is there */
	struct ports ports;
	int route; /* rtnetlink there, until net_settle is over */
	int lease;
	int rules; /* nf_tables there: the owner of the table */
	char address[INET_ADDRSTRLEN], table[64];
	struct bridge bridge;
};
#define NETWORK_CLOSED { .host = -1, .route = -1, .lease = -1, .rules = -1 }

/*
 * Before the container exists: takes its address and its ports, which NET then says, and has a bridge. Returns 0; -1
 * with a failure.
 */
int net_open(struct network *, struct net *net, const char *state, const char *name);

/*
 * Moves the calling process into the container's network namespace, which it makes unless the process of the pidfd
 * OTHER has it already (-1: none), and connects it. The supervisor does this for its container, and stays: it has no
 * use for a network of its own.
 */
int net_settle(struct network *, const struct net *net, int other);

/* Moves the calling process into a new network namespace, with its loopback up. */
int net_create(void);

/* Moves the calling process into the network namespace of the process that PIDFD refers to (Linux 5.8). */
int net_join(int pidfd);

/* Removes what killed supervisors have left, if there is anything. */
void net_sweep(const struct network *);

/* Undoes net_open and net_settle. May be called twice. */
void net_close(struct network *);

#endif

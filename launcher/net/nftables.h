/* The rules of one container: a table of nf_tables. */
#ifndef LAUNCHER_NET_NFTABLES_H
#define LAUNCHER_NET_NFTABLES_H

#include "launcher/spec/net.h"

/* One table: what leads out, and what its published ports lead to. */
struct nftables {
	const char *table, *bridge; /* borrowed */
	const struct net *net;
};

/* The socket that owns the table: with it goes the table (Linux 5.12; before that nftables_remove removes it). */
int nftables_open(void);

/* Makes the table. Returns 0, or -1 with a failure. */
int nftables_make(int socket, const struct nftables *);

/* Removes a table, where there is one and it is this socket's or nobody's. */
void nftables_remove(int socket, const char *table);

#endif

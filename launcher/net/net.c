#include "launcher/net/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/net/forward.h"
#include "launcher/net/lease.h"
#include "launcher/net/link.h"
#include "launcher/net/netlink.h"
#include "launcher/net/nftables.h"
#include "rootfs/base/child.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/sys.h"

#define NAMESPACE "/proc/self/ns/net"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(take_fd(fd));
}

/* ---- the namespace */
static int bring_loopback_up(void)
{
	scoped_fd socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	if (socket_ < 0 || ioctl(socket_, SIOCSIFFLAGS, &request) < 0)
		return fail("bring the loopback interface up");
	return 0;
}

int net_create(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		return fail("make a network namespace");
	return bring_loopback_up();
}

int net_join(int pidfd)
{
	return setns(pidfd, CLONE_NEWNET) < 0 ? fail("join the network namespace") : 0;
}

/* ---- addresses */
static const char *table_of(char table[64], const char *address)
{
	snprintf(table, 64, "wherry-%s", address);
	return table;
}

/* The number of a host in both networks: 10.177.3.4 is fd77:…::304. */
static void set_address(struct net *net, uint32_t number)
{
	struct net_family *v4 = &net->v4, *v6 = &net->v6;
	uint32_t mask = ~0U << (32 - v4->prefix);
	v4->address.bytes.s6_addr32[0] = htonl((ntohl(v4->gateway.bytes.s6_addr32[0]) & mask) | number);
	inet_ntop(AF_INET, &v4->address.bytes, v4->address.text, sizeof(v4->address.text));
	if (!*v6->gateway.text)
		return;
	v6->address.bytes = v6->gateway.bytes;
	v6->address.bytes.s6_addr32[3] = htonl(number);
	inet_ntop(AF_INET6, &v6->address.bytes, v6->address.text, sizeof(v6->address.text));
}

/* --ip: the one that was asked for, or none. */
static int take_given(struct network *network, struct net *net, uint32_t count, int leases, const char *name)
{
	uint32_t start = ntohl(net->v4.gateway.bytes.s6_addr32[0]) & ~(count - 1);
	uint32_t number = ntohl(net->ip.s_addr) - start;
	if (number < 2 || number >= count - 1) {
		char text[INET_ADDRSTRLEN];
		inet_ntop(AF_INET, &net->ip, text, sizeof(text));
		failx("--ip %s: not an address of the network's", text);
		return hint("%s has %s/%d", network->bridge.name, net->v4.gateway.text, net->v4.prefix);
	}
	set_address(net, number);
	network->lease = lease_take(leases, net->v4.address.text, name);
	if (network->lease < 0 && errno == EWOULDBLOCK)
		return failx("--ip %s: another container has it", net->v4.address.text);
	return network->lease < 0 ? -1 : 0;
}

static int take_address(struct network *network, struct net *net, int leases, const char *name)
{
	uint32_t count = 1U << (32 - net->v4.prefix); /* the last is everybody's */
	if (net->ip.s_addr)
		return take_given(network, net, count, leases, name);
	uint32_t number = lease_first(name, count - 1);
	for (uint32_t tries = count - 3; tries > 0; tries--) {
		set_address(net, number);
		network->lease = lease_take(leases, net->v4.address.text, name);
		if (network->lease >= 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return -1;
		number = number + 1 < count - 1 ? number + 1 : 2;
	}
	return failx("all addresses of %s are in use", network->bridge.name);
}

static int open_bridge(struct network *network, struct net *net, const char *name)
{
	network->route = netlink_open(NETLINK_ROUTE);
	network->rules = network->route < 0 ? -1 : nftables_open();
	if (network->rules < 0 || ports_open(&network->ports, net) < 0)
		return -1;
	scoped_fd leases = leases_open(network->state);
	if (leases < 0 || bridge_make(network->route, network->state, &network->bridge, net) < 0)
		return -1;
	if (take_address(network, net, leases, name) < 0)
		return -1;
	strcpy(network->address, net->v4.address.text);
	table_of(network->table, network->address);
	return 0;
}

int net_open(struct network *network, struct net *net, const char *state, const char *name)
{
	*network = (struct network)NETWORK_CLOSED;
	network->state = state;
	bool bridge = net->kind == NETWORK_BRIDGE;
	/* What others have left on the host is found from there alone. */
	if (bridge || leases_exist(state)) {
		network->host = openat(AT_FDCWD, NAMESPACE, O_RDONLY | O_CLOEXEC);
		if (network->host < 0 && bridge)
			return fail("open " NAMESPACE);
	}
	return bridge ? open_bridge(network, net, name) : 0;
}

/* ---- the connection */
static int configure(int route, const struct net_family *net, int family, int index)
{
	if (!*net->address.text)
		return 0;
	return link_add_address(route, index, net, family, false) < 0 ? -1
								      : link_add_route(route, index, net, family);
}

/* A supervisor that was killed has left its pair, until the kernel comes to it. The lease says that it is nobody's. */
static int make_pair(const struct network *network, const struct link_pair *pair)
{
	for (int tries = 0; link_make_pair(network->route, pair) < 0; tries++)
		if (failure_get()->status || tries || link_remove(network->route, pair->name) < 0)
			return fail("make the interface %s", pair->name);
	return 0;
}

static int connect_bridge(struct network *network, const struct net *net)
{
	char name[IFNAMSIZ];
	const unsigned char *ip = net->v4.address.bytes.s6_addr;
	unsigned char mac[6] = { 0x0a, 'w', ip[0], ip[1], ip[2], ip[3] };
	struct link link;
	snprintf(name, sizeof(name), "%.9s-%02x%02x", network->bridge.name, ip[2], ip[3]);
	struct link_pair pair = { name, network->bridge.index, getpid(), net->has_mac ? net->mac : mac,
				  net->port_count > 0 };
	forward_inside();
	scoped_fd route = netlink_open(NETLINK_ROUTE);
	if (route < 0 || make_pair(network, &pair) < 0 || link_find(route, "eth0", &link) < 0 ||
	    link_bring_up(route, link.index) < 0 ||
	    configure(route, &net->v4, AF_INET, link.index) < 0 ||
	    configure(route, &net->v6, AF_INET6, link.index) < 0)
		return -1;
	struct nftables table = { network->table, network->bridge.name, net };
	if (nftables_make(network->rules, &table) < 0)
		return -1;
	if (link_wait(route, "eth0") < 0 || link_wait(network->route, name) < 0 ||
	    link_wait(network->route, network->bridge.name) < 0)
		return -1;
	close_fd(&network->route);
	return 0;
}

static int join_path(const char *path)
{
	scoped_fd file = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return fail("--network ns:%s", path);
	return setns(file, CLONE_NEWNET) < 0 ? fail("--network ns:%s: enter it", path) : 0;
}

int net_settle(struct network *network, const struct net *net, int other)
{
	if (net->kind == NETWORK_HOST)
		return 0;
	if (net->kind == NETWORK_PATH)
		return join_path(net->of);
	if ((other >= 0 ? net_join(other) : net_create()) < 0)
		return -1;
	if (net->kind == NETWORK_CONTAINER)
		return 0;
	if (other >= 0 && bring_loopback_up() < 0)
		return -1;
	return net->kind == NETWORK_BRIDGE ? connect_bridge(network, net) : 0;
}

/* ---- the end */
struct sweep {
	const struct network *network;
	int rules;
};

static void free_rules(const char *address, void *argument)
{
	char table[64];
	const struct sweep *sweep = argument;
	if (sweep->rules >= 0)
		nftables_remove(sweep->rules, table_of(table, address));
}

/* In the host's namespace, with the leases' lock held, and none of them in use. */
static void remove_bridge(const char *state)
{
	scoped_fd route = netlink_open(NETLINK_ROUTE);
	if (route < 0)
		return;
	bridge_remove(route, state);
	leases_remove(state);
}

/* In a process of its own, which alone goes back to the host's network. */
static int sweep_host(void *argument)
{
	struct sweep *sweep = argument;
	const struct network *network = sweep->network;
	scoped_fd leases = leases_lock(network->state, LOCK_EX | LOCK_NB);
	if (leases < 0 || setns(network->host, CLONE_NEWNET) < 0)
		return 0;
	scoped_fd rules = netlink_open(NETLINK_NETFILTER);
	sweep->rules = rules;
	if (!leases_sweep(leases, LEASES_ALL, free_rules, sweep))
		remove_bridge(network->state);
	failure_clear(); /* the next command tries again */
	return 0;
}

void net_sweep(const struct network *network)
{
	struct sweep sweep = { network, -1 };
	if (network->host >= 0 && child_vfork(0, sweep_host, &sweep) < 0)
		failure_clear();
}

/*
 * What the kernel takes its time for, and nobody needs to wait for: a bridge is removed in some 20 ms, and whoever
 * closes the socket of a table that is gone waits some 6 for the processors to forget it (nft_rcv_nl_event). The
 * process that does has none of the caller's files: a pipe's reader would wait for it, too. LEASES, locked: none of
 * them is left; -1: some are.
 */
static void end_later(const struct network *network, int leases)
{
	enum { HOST, RULES, LEASES, COUNT };
	if (fork())
		return;
	setsid();
	prctl(PR_SET_NAME, "wherry-network");
	close(LEASES);
	if (dup2(network->host, HOST) == HOST && dup2(network->rules, RULES) == RULES &&
	    (leases < 0 || dup2(leases, LEASES) == LEASES) && sys_close_range(COUNT, ~0U) == 0 && leases >= 0 &&
	    setns(HOST, CLONE_NEWNET) == 0)
		remove_bridge(network->state);
	_exit(0);
}

static void give_address_back(struct network *network)
{
	struct sweep sweep = { network, network->rules };
	scoped_fd leases = leases_lock(network->state, LOCK_EX);
	if (leases < 0)
		return;
	lease_free(leases, network->address);
	close_fd(&network->lease);
	bool used = leases_sweep(leases, LEASES_ANY, free_rules, &sweep);
	end_later(network, used ? -1 : leases);
}

void net_close(struct network *network)
{
	close_fd(&network->route);
	ports_close(&network->ports);
	/* By itself it would go with its socket, but whoever closes that waits for the kernel. */
	if (network->lease >= 0 && network->rules >= 0)
		nftables_remove(network->rules, network->table);
	if (network->lease >= 0)
		give_address_back(network);
	close_fd(&network->rules);
	close_fd(&network->lease);
	close_fd(&network->host);
}

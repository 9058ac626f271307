#include "launcher/net/bridge.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/net/forward.h"
#include "launcher/net/link.h"
#include "rootfs/base/err.h"

/* More state directories than that, each with a bridge, are a mistake. */
enum { BRIDGES = 16, PREFIX = 16, PREFIX6 = 64 };

static void name_of(char name[IFNAMSIZ], int number)
{
	snprintf(name, IFNAMSIZ, "wherry%hhd", (signed char)number);
}

/* Our mark on a bridge, its alias: "wherry RECORD STATE", RECORD as forward_look writes it, "-" before it. */
static bool is_ours(const struct link *link, const char *state, char *record, size_t size)
{
	const char *behind = strncmp(link->alias, "wherry -", 8) ? NULL : strchr(link->alias + 8, ' ');
	if (!behind || strcmp(link->kind, "bridge") || strncmp(behind + 1, state, sizeof(link->alias) - 128))
		return false;
	snprintf(record, size, "%.*s", (int)(behind - link->alias - 8), link->alias + 8);
	return true;
}

/* The number of STATE's bridge, or of the first free name; -1 with a failure. */
static int find(int route, const char *state, struct link *link, char *record, size_t size)
{
	char name[IFNAMSIZ];
	for (int i = 0; i < BRIDGES; i++) {
		name_of(name, i);
		int found = link_find(route, name, link);
		if (found < 0)
			return -1;
		if (!found || is_ours(link, state, record, size))
			return i;
	}
	return failx("the interfaces wherry0 to wherry%d are others'", BRIDGES - 1);
}

static void set_text(struct net_address *address, int family)
{
	inet_ntop(family, &address->bytes, address->text, sizeof(address->text));
}

static void set_subnet(struct net_family *net, unsigned a, unsigned b)
{
	net->prefix = PREFIX;
	net->gateway.bytes.s6_addr32[0] = htonl(a << 24 | b << 16 | 1);
	set_text(&net->gateway, AF_INET);
}

/* 10.177.0.0/16 and those behind it, then 172.18.0.0/16 and on: the first that the host has no other way to. */
static int choose_4(int route, struct net_family *net)
{
	static const struct {
		unsigned a, from, to;
	} candidates[] = { { 10, 177, 254 }, { 10, 2, 176 }, { 172, 18, 31 } };
	for (size_t i = 0; i < sizeof(candidates) / sizeof(*candidates); i++)
		for (unsigned b = candidates[i].from; b <= candidates[i].to; b++) {
			set_subnet(net, candidates[i].a, b);
			int overlaps = link_overlaps(route, AF_INET, &net->gateway.bytes, PREFIX);
			if (overlaps <= 0)
				return overlaps;
		}
	return failx("the host's routes leave no network of private addresses free");
}

/* RFC 4193, without chance: nobody outside ever sees it, and a container that is started again has the same. */
static int choose_6(int route, struct net_family *net)
{
	char text[INET6_ADDRSTRLEN];
	net->prefix = PREFIX6;
	for (unsigned i = 0; i < 256; i++) {
		snprintf(text, sizeof(text), "fd77:6865:7272:79%02x::1", i);
		inet_pton(AF_INET6, text, &net->gateway.bytes);
		set_text(&net->gateway, AF_INET6);
		int overlaps = link_overlaps(route, AF_INET6, &net->gateway.bytes, PREFIX6);
		if (overlaps <= 0)
			return overlaps;
	}
	return failx("the host's routes leave no network of private IPv6 addresses free");
}

static int settle_family(int route, int index, int family, struct net_family *net)
{
	if (link_gateway(route, index, family, net)) {
		set_text(&net->gateway, family);
		return 0;
	}
	if ((family == AF_INET ? choose_4(route, net) : choose_6(route, net)) < 0)
		return -1;
	return link_add_address(route, index, net, family, true);
}

static int create(int route, const char *state, const char *name, int number)
{
	unsigned char mac[6] = { 0x0a, 'w', 'h', 'r', 'y', (unsigned char)number };
	char record[100], alias[256];
	forward_look(record, sizeof(record));
	snprintf(alias, sizeof(alias), "wherry -%s %s", record, state);
	return link_make_bridge(route, name, mac, alias);
}

int bridge_make(int route, const char *state, struct bridge *bridge, struct net *net)
{
	struct link link;
	char record[100];
	int number = find(route, state, &link, record, sizeof(record));
	if (number < 0)
		return -1;
	name_of(bridge->name, number);
	if (!link.index && (create(route, state, bridge->name, number) < 0 ||
			    link_find(route, bridge->name, &link) < 0))
		return -1;
	bridge->index = link.index;
	if (forward_on() < 0 || forward_bridge(bridge->name, net->port_count > 0) < 0 ||
	    (!link.on && link_bring_up(route, link.index) < 0) ||
	    settle_family(route, link.index, AF_INET, &net->v4) < 0)
		return -1;
	return forward_has_ipv6() ? settle_family(route, link.index, AF_INET6, &net->v6) : 0;
}

/* Another state directory's bridge still wants it. */
static bool others_forward(int route)
{
	struct link link;
	char name[IFNAMSIZ];
	for (int i = 0; i < BRIDGES; i++) {
		name_of(name, i);
		if (link_find(route, name, &link) > 0 && !strncmp(link.alias, "wherry -", 8))
			return true;
	}
	return false;
}

void bridge_remove(int route, const char *state)
{
	struct link link;
	char record[100], name[IFNAMSIZ];
	int number = find(route, state, &link, record, sizeof(record));
	if (number < 0 || !link.index)
		return;
	name_of(name, number);
	if (link_remove(route, name) == 0 && !others_forward(route))
		forward_off(record);
}

#include "launcher/net/link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>
#include <time.h>

#include "launcher/net/netlink.h"
#include "rootfs/base/err.h"

enum { UP_PAUSE = 100000 /* ns */, UP_LOOKS = 20000 };
enum { REQUEST = NLM_F_ACK, MAKE = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL };

static int size_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

static void copy_text(char *to, size_t size, const struct nlattr *from)
{
	size_t length = from ? netlink_size(from) : 0;
	length = length < size ? length : size - 1;
	if (length)
		memcpy(to, netlink_payload(from), length);
	to[length] = '\0';
}

static void read_link(const struct nlmsghdr *message, void *argument)
{
	struct link *link = argument;
	const struct ifinfomsg *header = NLMSG_DATA(message);
	size_t size;
	const void *from = netlink_attributes(message, sizeof(*header), &size);
	const struct nlattr *info = netlink_find(from, size, IFLA_LINKINFO);
	const struct nlattr *state = netlink_find(from, size, IFLA_OPERSTATE);
	link->index = header->ifi_index;
	link->on = header->ifi_flags & IFF_UP;
	link->up = state && *(const uint8_t *)netlink_payload(state) == IF_OPER_UP;
	copy_text(link->alias, sizeof(link->alias), netlink_find(from, size, IFLA_IFALIAS));
	copy_text(link->kind, sizeof(link->kind),
		  info ? netlink_find(netlink_payload(info), netlink_size(info), IFLA_INFO_KIND) : NULL);
}

int link_find(int route, const char *name, struct link *link)
{
	struct netlink ask = { 0 };
	*link = (struct link){ 0 };
	NETLINK_MESSAGE(&ask, RTM_GETLINK, 0, (struct ifinfomsg){ 0 });
	netlink_put_text(&ask, IFLA_IFNAME, name);
	if (netlink_send(&ask, route, read_link, link) == 0)
		return 1;
	return errno == ENODEV ? 0 : fail("look for the interface %s", name);
}

/* EOPNOTSUPP: rtnl_newlink knows no such kind, and could load no module for it. */
static int explain(const struct netlink *sent, const char *what, const char *kind, const char *option)
{
	bool missing = errno == EOPNOTSUPP;
	if (missing)
		failx("%s: the kernel has no %s", what, kind);
	else
		fail("%s%s%s", what, *sent->text ? ": " : "", sent->text);
	if (missing)
		return hint("CONFIG_%s, or `modprobe %s`; --network none and host do without", option, kind);
	return -1;
}

static void put_kind(struct netlink *to, const char *kind)
{
	size_t info = netlink_nest(to, IFLA_LINKINFO, NULL, 0);
	netlink_put_text(to, IFLA_INFO_KIND, kind);
	netlink_end(to, info);
}

int link_make_bridge(int route, const char *name, const unsigned char mac[6], const char *alias)
{
	struct netlink make = { 0 };
	NETLINK_MESSAGE(&make, RTM_NEWLINK, MAKE, (struct ifinfomsg){ 0 });
	netlink_put_text(&make, IFLA_IFNAME, name);
	netlink_put(&make, IFLA_ADDRESS, mac, 6); /* else it is the least of its ports', and changes with them */
	put_kind(&make, "bridge");
	/* rtnl_create_link takes no alias. */
	NETLINK_MESSAGE(&make, RTM_NEWLINK, REQUEST, (struct ifinfomsg){ 0 });
	netlink_put_text(&make, IFLA_IFNAME, name);
	netlink_put_text(&make, IFLA_IFALIAS, alias);
	if (netlink_send(&make, route, NULL, NULL) == 0)
		return 0;
	return explain(&make, "make a bridge", "bridge", "BRIDGE");
}

int link_remove(int route, const char *name)
{
	struct netlink remove = { 0 };
	NETLINK_MESSAGE(&remove, RTM_DELLINK, REQUEST, (struct ifinfomsg){ 0 });
	netlink_put_text(&remove, IFLA_IFNAME, name);
	return netlink_send(&remove, route, NULL, NULL) == 0 || errno == ENODEV ? 0 : -1;
}

static void put_peer(struct netlink *to, const struct link_pair *pair)
{
	static const struct ifinfomsg down; /* veth_open wants the other end, which is not there yet */
	size_t info = netlink_nest(to, IFLA_LINKINFO, NULL, 0);
	netlink_put_text(to, IFLA_INFO_KIND, "veth");
	size_t data = netlink_nest(to, IFLA_INFO_DATA, NULL, 0);
	size_t peer = netlink_nest(to, VETH_INFO_PEER, &down, sizeof(down));
	netlink_put_text(to, IFLA_IFNAME, "eth0");
	netlink_put(to, IFLA_ADDRESS, pair->mac, 6);
	netlink_put_32(to, IFLA_NET_NS_PID, (uint32_t)pair->inside);
	netlink_end(to, peer);
	netlink_end(to, data);
	netlink_end(to, info);
}

/* A new link takes no words of its bridge's: hence a second message. */
static void put_hairpin(struct netlink *to, const char *name)
{
	NETLINK_MESSAGE(to, RTM_NEWLINK, REQUEST, (struct ifinfomsg){ 0 });
	netlink_put_text(to, IFLA_IFNAME, name);
	size_t info = netlink_nest(to, IFLA_LINKINFO, NULL, 0);
	netlink_put_text(to, IFLA_INFO_SLAVE_KIND, "bridge");
	size_t data = netlink_nest(to, IFLA_INFO_SLAVE_DATA, NULL, 0);
	netlink_put_8(to, IFLA_BRPORT_MODE, 1);
	netlink_end(to, data);
	netlink_end(to, info);
}

int link_make_pair(int route, const struct link_pair *pair)
{
	struct netlink make = { 0 };
	NETLINK_MESSAGE(&make, RTM_NEWLINK, MAKE, (struct ifinfomsg){ .ifi_flags = IFF_UP, .ifi_change = IFF_UP });
	netlink_put_text(&make, IFLA_IFNAME, pair->name);
	netlink_put_32(&make, IFLA_MASTER, (uint32_t)pair->master);
	put_peer(&make, pair);
	if (pair->hairpin)
		put_hairpin(&make, pair->name);
	if (netlink_send(&make, route, NULL, NULL) == 0)
		return 0;
	if (errno == EEXIST)
		return -1;
	return explain(&make, "make a pair of interfaces", "veth", "VETH");
}

int link_bring_up(int route, int index)
{
	struct netlink up = { 0 };
	NETLINK_MESSAGE(&up, RTM_NEWLINK, REQUEST,
			(struct ifinfomsg){ .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP });
	return netlink_send(&up, route, NULL, NULL) < 0 ? fail("bring an interface up") : 0;
}

int link_add_address(int route, int index, const struct net_family *net, int family, bool gateway)
{
	struct netlink add = { 0 };
	const struct net_address *address = gateway ? &net->gateway : &net->address;
	NETLINK_MESSAGE(&add, RTM_NEWADDR, MAKE, (struct ifaddrmsg){
		.ifa_family = (uint8_t)family, .ifa_prefixlen = (uint8_t)net->prefix,
		.ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0, .ifa_index = (uint32_t)index,
	});
	netlink_put(&add, IFA_LOCAL, &address->bytes, (size_t)size_of(family));
	netlink_put(&add, IFA_ADDRESS, &address->bytes, (size_t)size_of(family));
	if (family == AF_INET) {
		uint32_t last = address->bytes.s6_addr32[0] | htonl(~0U >> net->prefix);
		netlink_put(&add, IFA_BROADCAST, &last, 4);
	}
	if (netlink_send(&add, route, NULL, NULL) == 0)
		return 0;
	return fail("give an interface the address %s", address->text);
}

int link_add_route(int route, int index, const struct net_family *net, int family)
{
	struct netlink add = { 0 };
	NETLINK_MESSAGE(&add, RTM_NEWROUTE, MAKE, (struct rtmsg){
		.rtm_family = (uint8_t)family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST,
	});
	netlink_put(&add, RTA_GATEWAY, &net->gateway.bytes, (size_t)size_of(family));
	netlink_put_32(&add, RTA_OIF, (uint32_t)index);
	if (netlink_send(&add, route, NULL, NULL) == 0)
		return 0;
	return fail("set the route by %s", net->gateway.text);
}

/*
 * Looking again costs less than a socket that would tell: linkwatch (net/core/link_watch.c) needs a fraction of
 * a millisecond.
 */
int link_wait(int route, const char *name)
{
	static const struct timespec pause = { 0, UP_PAUSE };
	struct link link;
	for (int left = UP_LOOKS; left > 0; left--) {
		int found = link_find(route, name, &link);
		if (found < 0 || link.up)
			return found < 0 ? -1 : 0;
		nanosleep(&pause, NULL);
	}
	return failx("the interface %s does not come up", name);
}

struct search {
	int index, family;
	struct net_family *net;
	bool found;
};

static void read_address(const struct nlmsghdr *message, void *argument)
{
	struct search *search = argument;
	const struct ifaddrmsg *header = NLMSG_DATA(message);
	size_t size;
	const void *from = netlink_attributes(message, sizeof(*header), &size);
	const struct nlattr *address = netlink_find(from, size, IFA_ADDRESS);
	bool link_local = header->ifa_scope == RT_SCOPE_LINK;
	if (search->found || !address || (int)header->ifa_index != search->index || link_local ||
	    header->ifa_family != search->family || netlink_size(address) != (size_t)size_of(search->family))
		return;
	search->found = true;
	search->net->prefix = header->ifa_prefixlen;
	memcpy(&search->net->gateway.bytes, netlink_payload(address), netlink_size(address));
}

bool link_gateway(int route, int index, int family, struct net_family *net)
{
	struct netlink ask = { 0 };
	struct search search = { index, family, net, false };
	NETLINK_MESSAGE(&ask, RTM_GETADDR, NLM_F_DUMP, (struct ifaddrmsg){ .ifa_family = (uint8_t)family });
	return netlink_send(&ask, route, read_address, &search) == 0 && search.found;
}

struct overlap {
	const struct in6_addr *address;
	int family, prefix;
	bool found;
};

static bool same_bits(const unsigned char *a, const unsigned char *b, int bits)
{
	int bytes = bits / 8, rest = bits % 8;
	return memcmp(a, b, (size_t)bytes) == 0 && (!rest || ((a[bytes] ^ b[bytes]) >> (8 - rest)) == 0);
}

static void read_route(const struct nlmsghdr *message, void *argument)
{
	struct overlap *overlap = argument;
	const struct rtmsg *header = NLMSG_DATA(message);
	size_t size;
	const void *from = netlink_attributes(message, sizeof(*header), &size);
	const struct nlattr *to = netlink_find(from, size, RTA_DST);
	int least = header->rtm_dst_len < overlap->prefix ? header->rtm_dst_len : overlap->prefix;
	if (to && header->rtm_dst_len && header->rtm_family == overlap->family && header->rtm_type != RTN_MULTICAST &&
	    netlink_size(to) == (size_t)size_of(overlap->family) &&
	    same_bits(netlink_payload(to), overlap->address->s6_addr, least))
		overlap->found = true;
}

int link_overlaps(int route, int family, const struct in6_addr *address, int prefix)
{
	struct netlink ask = { 0 };
	struct overlap overlap = { address, family, prefix, false };
	NETLINK_MESSAGE(&ask, RTM_GETROUTE, NLM_F_DUMP, (struct rtmsg){ .rtm_family = (uint8_t)family });
	if (netlink_send(&ask, route, read_route, &overlap) < 0)
		return fail("read the routes");
	return overlap.found;
}

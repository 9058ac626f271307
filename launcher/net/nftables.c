/*
 * The table of a container with the address C on the bridge B, per family:
 *
 *	raw       iif B, to 127.0.0.0/8: dropped. route_localnet would let containers in.
 *	forward   to C, not from B: dropped unless it is answered or published
 *	pre, out  to an address of the host's, published port: to C
 *	post      from C, not to B: masqueraded
 *	          to C, published, from B's network or from 127.0.0.0/8: masqueraded, or C would answer another
 *
 * An accept would not override another table's drop, so nothing is accepted.
 */
#include "launcher/net/nftables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <time.h>

#include "launcher/net/netlink.h"
#include "rootfs/base/err.h"

enum { PRIORITY_RAW = -300, PRIORITY_DSTNAT = -100, PRIORITY_FILTER = 0, PRIORITY_SRCNAT = 100 };
/* A table of that name belongs to a supervisor that is just being killed. */
enum { TRIES = 200, PAUSE = 5000000 /* ns */ };
/* net/netfilter/nft_ct.c, NF_CT_STATE_BIT */
enum { CT_ESTABLISHED = 1 << 1, CT_RELATED = 1 << 2 };

/* Where they are in a header. */
struct place {
	int source, destination, size; /* of the network header */
};
static const struct place of_4 = { 12, 16, 4 }, of_6 = { 8, 24, 16 };

/* A batch that is being built. */
struct rules {
	struct netlink batch;
	const struct nftables *of;
	int family; /* AF_INET or AF_INET6: what the next rules are for */
	const struct place *place;
	const struct net_family *net;
	size_t list, expression, data; /* nests that are open */
};

int nftables_open(void)
{
	int socket = netlink_open(NETLINK_NETFILTER);
	if (socket >= 0 || errno != EPROTONOSUPPORT)
		return socket;
	return hint("the kernel has no nf_tables: CONFIG_NETFILTER_NETLINK, CONFIG_NF_TABLES");
}

/* ---- messages */
static void message(struct netlink *to, int type, int flags)
{
	NETLINK_MESSAGE(to, (NFNL_SUBSYS_NFTABLES << 8) | type, flags,
			(struct nfgenmsg){ .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 });
}

static void batch(struct netlink *to, int type)
{
	NETLINK_MESSAGE(to, type, 0,
			(struct nfgenmsg){ .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) });
}

static void table(struct netlink *to, int type, int flags, const char *name, unsigned owner)
{
	message(to, type, flags | NLM_F_ACK);
	netlink_put_text(to, NFTA_TABLE_NAME, name);
	if (owner)
		netlink_put_be32(to, NFTA_TABLE_FLAGS, owner);
}

static void chain(struct rules *to, const char *name, const char *type, int hook, int priority)
{
	message(&to->batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	netlink_put_text(&to->batch, NFTA_CHAIN_TABLE, to->of->table);
	netlink_put_text(&to->batch, NFTA_CHAIN_NAME, name);
	netlink_put_text(&to->batch, NFTA_CHAIN_TYPE, type);
	size_t nest = netlink_nest(&to->batch, NFTA_CHAIN_HOOK, NULL, 0);
	netlink_put_be32(&to->batch, NFTA_HOOK_HOOKNUM, (uint32_t)hook);
	netlink_put_be32(&to->batch, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	netlink_end(&to->batch, nest);
}

static void rule(struct rules *to, const char *chain_name)
{
	message(&to->batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	netlink_put_text(&to->batch, NFTA_RULE_TABLE, to->of->table);
	netlink_put_text(&to->batch, NFTA_RULE_CHAIN, chain_name);
	to->list = netlink_nest(&to->batch, NFTA_RULE_EXPRESSIONS, NULL, 0);
}

/* ---- expressions: what a rule compares and does, each between the two */
static void begin(struct rules *to, const char *name)
{
	to->expression = netlink_nest(&to->batch, NFTA_LIST_ELEM, NULL, 0);
	netlink_put_text(&to->batch, NFTA_EXPR_NAME, name);
	to->data = netlink_nest(&to->batch, NFTA_EXPR_DATA, NULL, 0);
}

static void end(struct rules *to)
{
	netlink_end(&to->batch, to->data);
	netlink_end(&to->batch, to->expression);
	netlink_end(&to->batch, to->list);
}

static void put(struct rules *to, int attribute, uint32_t value)
{
	netlink_put_be32(&to->batch, attribute, value);
}

static void value(struct rules *to, int attribute, const void *data, size_t size)
{
	size_t nest = netlink_nest(&to->batch, attribute, NULL, 0);
	netlink_put(&to->batch, NFTA_DATA_VALUE, data, size);
	netlink_end(&to->batch, nest);
}

/* Register 1 is what the comparisons are about. */
static void compare(struct rules *to, int how, const void *data, size_t size)
{
	begin(to, "cmp");
	put(to, NFTA_CMP_SREG, NFT_REG_1);
	put(to, NFTA_CMP_OP, (uint32_t)how);
	value(to, NFTA_CMP_DATA, data, size);
	end(to);
}

static void meta(struct rules *to, int key)
{
	begin(to, "meta");
	put(to, NFTA_META_DREG, NFT_REG_1);
	put(to, NFTA_META_KEY, (uint32_t)key);
	end(to);
}

static void load(struct rules *to, int base, int offset, int size)
{
	begin(to, "payload");
	put(to, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put(to, NFTA_PAYLOAD_BASE, (uint32_t)base);
	put(to, NFTA_PAYLOAD_OFFSET, (uint32_t)offset);
	put(to, NFTA_PAYLOAD_LEN, (uint32_t)size);
	end(to);
}

static void mask(struct rules *to, const void *bits, size_t size)
{
	static const unsigned char none[16];
	begin(to, "bitwise");
	put(to, NFTA_BITWISE_SREG, NFT_REG_1);
	put(to, NFTA_BITWISE_DREG, NFT_REG_1);
	put(to, NFTA_BITWISE_LEN, (uint32_t)size);
	value(to, NFTA_BITWISE_MASK, bits, size);
	value(to, NFTA_BITWISE_XOR, none, size);
	end(to);
}

static void verdict(struct rules *to, int code)
{
	begin(to, "immediate");
	put(to, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	size_t nest = netlink_nest(&to->batch, NFTA_IMMEDIATE_DATA, NULL, 0);
	size_t inner = netlink_nest(&to->batch, NFTA_DATA_VERDICT, NULL, 0);
	put(to, NFTA_VERDICT_CODE, (uint32_t)code);
	netlink_end(&to->batch, inner);
	netlink_end(&to->batch, nest);
	end(to);
}

static void masquerade(struct rules *to)
{
	begin(to, "masq");
	end(to);
}

/* ---- what rules say */
static void is_family(struct rules *to)
{
	uint8_t family = to->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
	meta(to, NFT_META_NFPROTO);
	compare(to, NFT_CMP_EQ, &family, 1);
}

static void is_address(struct rules *to, int offset, const void *address)
{
	load(to, NFT_PAYLOAD_NETWORK_HEADER, offset, to->place->size);
	compare(to, NFT_CMP_EQ, address, (size_t)to->place->size);
}

static void is_bridge(struct rules *to, int key, int how)
{
	char name[16] = "";
	strncpy(name, to->of->bridge, sizeof(name) - 1);
	meta(to, key);
	compare(to, how, name, sizeof(name));
}

/* In its network, at OFFSET of the header. */
static void is_near(struct rules *to, int offset)
{
	unsigned char bits[16] = "", network[16];
	size_t size = (size_t)to->place->size;
	for (int i = 0; i < to->net->prefix; i++)
		bits[i / 8] |= (unsigned char)(0x80 >> i % 8);
	for (size_t i = 0; i < size; i++)
		network[i] = to->net->address.bytes.s6_addr[i] & bits[i];
	load(to, NFT_PAYLOAD_NETWORK_HEADER, offset, to->place->size);
	mask(to, bits, size);
	compare(to, NFT_CMP_EQ, network, size);
}

/* 127.0.0.0/8 or ::1 */
static void is_loopback(struct rules *to, int offset)
{
	static const unsigned char net_4[] = { 127 };
	load(to, NFT_PAYLOAD_NETWORK_HEADER, offset, to->family == AF_INET ? 1 : 16);
	if (to->family == AF_INET)
		compare(to, NFT_CMP_EQ, net_4, 1);
	else
		compare(to, NFT_CMP_EQ, &in6addr_loopback, 16);
}

/* Some of the BITS of a key of conntrack's are set, or none. */
static void has_bits(struct rules *to, int key, uint32_t bits, int how)
{
	static const uint32_t none = 0;
	begin(to, "ct");
	put(to, NFTA_CT_DREG, NFT_REG_1);
	put(to, NFTA_CT_KEY, (uint32_t)key);
	end(to);
	mask(to, &bits, sizeof(bits));
	compare(to, how, &none, sizeof(none));
}

/* ---- published ports */
static void is_port(struct rules *to, const struct publish *publish, int first, int count)
{
	uint8_t protocol = publish->udp ? IPPROTO_UDP : IPPROTO_TCP;
	uint16_t from = htons((uint16_t)first), until = htons((uint16_t)(first + count - 1));
	meta(to, NFT_META_L4PROTO);
	compare(to, NFT_CMP_EQ, &protocol, 1);
	load(to, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	if (count == 1) {
		compare(to, NFT_CMP_EQ, &from, 2);
	} else {
		compare(to, NFT_CMP_GTE, &from, 2);
		compare(to, NFT_CMP_LTE, &until, 2);
	}
}

static void immediate(struct rules *to, int reg, const void *data, size_t size)
{
	begin(to, "immediate");
	put(to, NFTA_IMMEDIATE_DREG, (uint32_t)reg);
	value(to, NFTA_IMMEDIATE_DATA, data, size);
	end(to);
}

/* Without PORT it stays the one that it was. */
static void to_container(struct rules *to, int port)
{
	uint16_t number = htons((uint16_t)port);
	immediate(to, NFT_REG_1, &to->net->address.bytes, (size_t)to->place->size);
	if (port)
		immediate(to, NFT_REG_2, &number, 2);
	begin(to, "nat");
	put(to, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	put(to, NFTA_NAT_FAMILY, to->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	put(to, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	if (port)
		put(to, NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
	end(to);
}

static void publish_some(struct rules *to, const char *in, const struct publish *publish, int first, int count)
{
	bool same = publish->host == publish->container;
	rule(to, in);
	is_family(to);
	if (publish->family != AF_UNSPEC)
		is_address(to, to->place->destination, &publish->address);
	is_port(to, publish, publish->host + first, count);
	to_container(to, same ? 0 : publish->container + first);
}

/* A range is one rule where its ports are the same on both sides; nat has no other way to map one. */
static void publish_all(struct rules *to, const char *in, const struct publish *publish)
{
	if (publish->family != AF_UNSPEC && publish->family != to->family)
		return;
	if (publish->host == publish->container)
		publish_some(to, in, publish, 0, publish->count);
	else
		for (int i = 0; i < publish->count; i++)
			publish_some(to, in, publish, i, 1);
}

/* Only what is meant for the host: what a container sends through it to others' ports is not. */
static void return_others(struct rules *to, const char *in)
{
	uint32_t local = 2; /* RTN_LOCAL, linux/rtnetlink.h */
	rule(to, in);
	begin(to, "fib");
	put(to, NFTA_FIB_DREG, NFT_REG_1);
	put(to, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	put(to, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	end(to);
	compare(to, NFT_CMP_NEQ, &local, sizeof(local));
	verdict(to, NFT_RETURN);
}

/* ---- the chains' rules for one family */
static void keep_from_loopback(struct rules *to)
{
	rule(to, "raw");
	is_bridge(to, NFT_META_IIFNAME, NFT_CMP_EQ);
	is_family(to);
	is_loopback(to, to->place->destination);
	verdict(to, NF_DROP);
}

static void keep_unpublished(struct rules *to)
{
	rule(to, "forward");
	is_family(to);
	is_address(to, to->place->destination, &to->net->address.bytes);
	is_bridge(to, NFT_META_IIFNAME, NFT_CMP_NEQ);
	has_bits(to, NFT_CT_STATUS, IPS_DST_NAT, NFT_CMP_EQ);
	has_bits(to, NFT_CT_STATE, CT_ESTABLISHED | CT_RELATED, NFT_CMP_EQ);
	verdict(to, NF_DROP);
}

static void masquerade_out(struct rules *to)
{
	rule(to, "post");
	is_family(to);
	is_address(to, to->place->source, &to->net->address.bytes);
	is_bridge(to, NFT_META_OIFNAME, NFT_CMP_NEQ);
	masquerade(to);
}

static void masquerade_in(struct rules *to, void (*from)(struct rules *, int))
{
	rule(to, "post");
	is_family(to);
	is_address(to, to->place->destination, &to->net->address.bytes);
	has_bits(to, NFT_CT_STATUS, IPS_DST_NAT, NFT_CMP_NEQ);
	from(to, to->place->source);
	masquerade(to);
}

static void publish_ports(struct rules *to)
{
	const struct net *net = to->of->net;
	/* From outside nobody means the host's loopback, whatever a packet says. */
	rule(to, "pre");
	is_family(to);
	is_loopback(to, to->place->destination);
	verdict(to, NFT_RETURN);
	for (size_t i = 0; i < net->port_count; i++) {
		publish_all(to, "pre", &net->ports[i]);
		publish_all(to, "out", &net->ports[i]);
	}
	masquerade_in(to, is_near);
	masquerade_in(to, is_loopback);
}

static void put_family(struct rules *to, int family, const struct place *place, const struct net_family *net)
{
	if (!*net->address.text)
		return;
	to->family = family;
	to->place = place;
	to->net = net;
	keep_from_loopback(to);
	keep_unpublished(to);
	masquerade_out(to);
	if (to->of->net->port_count)
		publish_ports(to);
}

static void put_chains(struct rules *to)
{
	chain(to, "raw", "filter", NF_INET_PRE_ROUTING, PRIORITY_RAW);
	chain(to, "forward", "filter", NF_INET_FORWARD, PRIORITY_FILTER);
	chain(to, "post", "nat", NF_INET_POST_ROUTING, PRIORITY_SRCNAT);
	if (to->of->net->port_count) {
		chain(to, "pre", "nat", NF_INET_PRE_ROUTING, PRIORITY_DSTNAT);
		chain(to, "out", "nat", NF_INET_LOCAL_OUT, PRIORITY_DSTNAT);
		return_others(to, "pre");
		return_others(to, "out");
	}
}

static int make(struct netlink *to, int socket, const struct nftables *of, unsigned owner)
{
	struct rules rules = { .of = of };
	batch(&rules.batch, NFNL_MSG_BATCH_BEGIN);
	/* Without an owner the table of one that was killed is still there: made where it is not, it can go. */
	if (!owner) {
		table(&rules.batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, of->table, 0);
		table(&rules.batch, NFT_MSG_DELTABLE, 0, of->table, 0);
	}
	table(&rules.batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | (owner ? NLM_F_EXCL : 0), of->table, owner);
	put_chains(&rules);
	put_family(&rules, AF_INET, &of_4, &of->net->v4);
	put_family(&rules, AF_INET6, &of_6, &of->net->v6);
	batch(&rules.batch, NFNL_MSG_BATCH_END);
	int r = netlink_send(&rules.batch, socket, NULL, NULL);
	*to = rules.batch;
	return r;
}

/* ENOENT: nf_tables found no such type of chain, or expression, and could load no module for it. */
static int explain(const struct netlink *sent)
{
	int error = errno;
	fail("make the container's nf_tables rules%s%s", *sent->text ? ": " : "", sent->text);
	if (error == ENOENT || error == EOPNOTSUPP || error == EINVAL || error == EAFNOSUPPORT)
		return hint("the kernel lacks some of CONFIG_NF_TABLES, NF_TABLES_INET, NFT_NAT, NFT_MASQ, NFT_CT, "
			    "NFT_FIB_INET; --network none and host do without");
	return -1;
}

int nftables_make(int socket, const struct nftables *of)
{
	static const struct timespec pause = { 0, PAUSE };
	struct netlink sent;
	unsigned owner = NFT_TABLE_F_OWNER;
	for (int tries = TRIES; tries > 0; tries--) {
		if (make(&sent, socket, of, owner) == 0)
			return 0;
		if (owner && (errno == EINVAL || errno == EOPNOTSUPP))
			owner = 0; /* Linux before 5.12 knows no such flag */
		else if (owner && errno == EEXIST)
			nanosleep(&pause, NULL);
		else
			break;
	}
	return explain(&sent);
}

void nftables_remove(int socket, const char *name)
{
	struct netlink remove = { 0 };
	batch(&remove, NFNL_MSG_BATCH_BEGIN);
	table(&remove, NFT_MSG_DELTABLE, 0, name, 0);
	batch(&remove, NFNL_MSG_BATCH_END);
	netlink_send(&remove, socket, NULL, NULL);
}

/* --network, --publish, --ip, --mac-address: a network, and what leads to it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/spec/build.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/userns.h"

/* Words that stand for themselves, by enum network_kind, and those with something behind them. */
static const char *const kinds[] = { "none", "host", "bridge" };
static const char container[] = "container:", path[] = "ns:";

static int find_kind(struct net *net, const char *word)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(word, kinds[i])) {
			net->kind = (enum network_kind)i;
			return 0;
		}
	if (!strncmp(word, container, strlen(container))) {
		net->kind = NETWORK_CONTAINER;
		net->of = word + strlen(container);
	} else if (!strncmp(word, path, strlen(path))) {
		net->kind = NETWORK_PATH;
		net->of = word + strlen(path);
	}
	if (net->of && *net->of)
		return 0;
	failx("--network: '%s' is not none, host, bridge, container:NAME or ns:PATH", word);
	return hint("none is loopback alone, host the host's network, bridge a network with the host and others");
}

/* "80", "8000-8010". Returns 0; -1 without a failure. */
static int parse_range(const char *text, int *first, int *count)
{
	char *end;
	if (*text < '0' || *text > '9')
		return -1;
	long from = strtol(text, &end, 10), until = from;
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		until = strtol(end + 1, &end, 10);
	if (*end || from < 1 || until > 65535 || until < from)
		return -1;
	*first = (int)from;
	*count = (int)(until - from + 1);
	return 0;
}

static int parse_address(struct publish *publish, char *text)
{
	size_t length = strlen(text);
	if (length && text[0] == '[' && text[length - 1] == ']') {
		text[length - 1] = '\0';
		text++;
	}
	publish->family = inet_pton(AF_INET, text, &publish->address) == 1    ? AF_INET
			  : inet_pton(AF_INET6, text, &publish->address) == 1 ? AF_INET6
									      : AF_UNSPEC;
	if (publish->family == AF_UNSPEC)
		return failx("--publish %s: '%s' is no IP address", publish->word, text);
	/* 0.0.0.0 and :: are all addresses of one kind, which is what a family alone stands for. */
	return 0;
}

static int parse_protocol(struct publish *publish, char *text)
{
	char *slash = strchr(text, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	publish->udp = !strcmp(slash + 1, "udp");
	if (publish->udp || !strcmp(slash + 1, "tcp"))
		return 0;
	return failx("--publish %s: '%s' is neither tcp nor udp", publish->word, slash + 1);
}

/* The last colon outside brackets ends what is before TEXT's last part; NULL: there is none. */
static char *cut_last(char *text)
{
	char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');
	if (!colon || (bracket && colon < bracket))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static int check_ports(struct publish *publish, const char *host, const char *inside)
{
	int first = 0, count, host_first = 0, host_count;
	if (parse_range(inside, &first, &count) < 0 ||
	    (*host && parse_range(host, &host_first, &host_count) < 0)) {
		failx("--publish %s: not a port or a range of ports", publish->word);
		return hint("[ADDRESS:][PORT:]PORT[/udp]; a range is FIRST-LAST, and as long on both sides");
	}
	if (*host && host_count != count)
		return failx("--publish %s: %d ports of the host's for %d of the container's", publish->word,
			     host_count, count);
	publish->container = (uint16_t)first;
	publish->host = (uint16_t)host_first;
	publish->count = (uint16_t)count;
	return 0;
}

/* docker-run(1): [[ADDRESS:][PORT]:]PORT[/PROTOCOL] */
static int parse_publish(struct publish *publish, const char *word)
{
	scoped_ptr char *text = strdup(word);
	*publish = (struct publish){ .word = word };
	if (!text)
		return fail("--publish %s", word);
	if (parse_protocol(publish, text) < 0)
		return -1;
	char *inside = cut_last(text), *host = inside ? cut_last(text) : NULL;
	if (!inside)
		return check_ports(publish, "", text);
	if (!host)
		return check_ports(publish, text, inside);
	return parse_address(publish, text) < 0 ? -1 : check_ports(publish, host, inside);
}

/* Ports that the kernel chooses are not one behind the other. */
static int add_publish(struct net *net, const struct publish *publish)
{
	int parts = publish->host ? 1 : publish->count;
	struct publish *ports = reallocarray(net->ports, net->port_count + (size_t)parts, sizeof(*ports));
	if (!ports)
		return fail("--publish %s", publish->word);
	net->ports = ports;
	for (int i = 0; i < parts; i++) {
		struct publish *one = &net->ports[net->port_count++];
		*one = *publish;
		one->container = (uint16_t)(publish->container + i);
		if (parts > 1)
			one->count = 1;
	}
	return 0;
}

static int parse_mac(struct net *net, const char *word)
{
	unsigned char *mac = net->mac;
	int end = 0;
	net->has_mac = true;
	if (sscanf(word, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
		   &mac[5], &end) == 6 && end && !word[end] && !(mac[0] & 1))
		return 0;
	failx("--mac-address: '%s' is not an interface's address", word);
	return hint("six pairs of hex digits with colons between; the first pair is even");
}

/* What only a network that wherry makes can have. */
static int check_kind(const struct net *net, const struct run_options *given)
{
	const char *option = given->publish.count ? "publish" : given->ip ? "ip" : given->mac ? "mac-address" : NULL;
	if (net->kind == NETWORK_BRIDGE && userns_inside()) {
		failx("--network bridge wants wherry to be run by root");
		return hint("--network none and host do without");
	}
	if (net->kind == NETWORK_BRIDGE || !option)
		return 0;
	if (given->network)
		failx("--%s and --network %s exclude each other", option, given->network);
	else
		failx("--%s: a network with loopback alone has no way in", option);
	return hint(net->kind == NETWORK_HOST ? "with the host's network it has the host's ports"
					      : "--network bridge has one");
}

int spec_build_network(struct spec *spec, const struct run_options *given)
{
	struct net *net = &spec->net;
	struct publish publish;
	if (given->network && find_kind(net, given->network) < 0)
		return -1;
	if (check_kind(net, given) < 0)
		return -1;
	if (given->ip && inet_pton(AF_INET, given->ip, &net->ip) != 1)
		return failx("--ip: '%s' is no IPv4 address", given->ip);
	if (given->mac && parse_mac(net, given->mac) < 0)
		return -1;
	for (size_t i = 0; i < given->publish.count; i++)
		if (parse_publish(&publish, given->publish.at[i]) < 0 || add_publish(net, &publish) < 0)
			return -1;
	return 0;
}

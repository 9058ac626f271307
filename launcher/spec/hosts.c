/* --add-host, --dns: what a container calls others. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/spec/build.h"
#include "rootfs/base/err.h"

static bool is_address(const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* hosts(5): a blank would end it, and # the line. */
static bool is_host_name(const char *text)
{
	return *text && !text[strcspn(text, " \t\r\n#")];
}

/* docker-run(1): its way to the host. Where the network is the host's own, that is where we are. */
static int find_gateway(struct host *host, const struct spec *spec)
{
	if (spec->net.kind == NETWORK_HOST) {
		host->address = "127.0.0.1";
		return 0;
	}
	if (spec->net.kind == NETWORK_BRIDGE) {
		host->address = NULL;
		return 0;
	}
	failx("--add-host %s:%s: a network with loopback alone has no gateway", host->name, host->address);
	return hint("with --network bridge it is the bridge, with --network host 127.0.0.1");
}

/* NAME:ADDRESS or, as docker has it too, NAME=ADDRESS; an IPv6 address may stand in brackets. */
static int parse_host(struct host *host, const struct spec *spec, const char *word)
{
	char *text = strdup(word);
	if (!text)
		return fail("--add-host %s", word);
	host->name = strsep(&text, ":=");
	if (!text || !is_host_name(host->name))
		return failx("--add-host: '%s' is not NAME:ADDRESS", word);
	host->address = text;
	if (!strcmp(text, "host-gateway"))
		return find_gateway(host, spec);
	size_t length = strlen(text);
	if (length && text[0] == '[' && text[length - 1] == ']') {
		text[length - 1] = '\0';
		host->address++;
	}
	return is_address(host->address) ? 0 : failx("--add-host: '%s' is no IP address", text);
}

int spec_build_names(struct spec *spec, const struct run_options *given)
{
	spec->hosts = calloc(given->hosts.count + 1, sizeof(*spec->hosts));
	if (!spec->hosts)
		return fail("--add-host");
	for (size_t i = 0; i < given->hosts.count; i++)
		if (parse_host(&spec->hosts[spec->host_count++], spec, given->hosts.at[i]) < 0)
			return -1;
	spec->dns = given->dns;
	spec->dns_search = given->dns_search;
	spec->dns_options = given->dns_options;
	for (size_t i = 0; i < given->dns.count; i++)
		if (!is_address(given->dns.at[i]))
			return failx("--dns: '%s' is no IP address", given->dns.at[i]);
	return 0;
}

#include "launcher/mount/files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/mount/resolv.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

enum { HOSTS, HOSTNAME, RESOLV_CONF };

const struct own_file own_files[FILES_COUNT] = {
	[HOSTS] = { "hosts", "/etc/hosts" },
	[HOSTNAME] = { "hostname", "/etc/hostname" },
	[RESOLV_CONF] = { "resolv.conf", "/etc/resolv.conf" },
};

static int create(const struct spec *spec, int which)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", spec->root.staging, own_files[which].name);
	int file = openat(AT_FDCWD, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	return file < 0 ? fail("make %s", path) : file;
}

static int write_text(const struct spec *spec, int which, const char *text)
{
	scoped_fd file = create(spec, which);
	if (file < 0)
		return -1;
	if (write(file, text, strlen(text)) != (ssize_t)strlen(text))
		return fail("write %s", own_files[which].target);
	return 0;
}

/* The host's own file, as it is now; a host without it gives an empty one. */
static int copy_host(const struct spec *spec, int which)
{
	char buffer[4096];
	scoped_fd from = openat(AT_FDCWD, own_files[which].target, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	scoped_fd to = create(spec, which);
	if (to < 0)
		return -1;
	ssize_t n;
	while (from >= 0 && (n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)n) != n)
			return fail("write %s", own_files[which].target);
	return 0;
}

static int open_again(const struct spec *spec, int which)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", spec->root.staging, own_files[which].name);
	int file = openat(AT_FDCWD, path, O_WRONLY | O_APPEND | O_CLOEXEC);
	return file < 0 ? fail("open %s", path) : file;
}

/* Its name is its own address, where it has one, so that others are told one that leads here. */
static int write_hosts(const struct spec *spec)
{
	char text[640];
	const char *address = spec->net.v4.address.text, *address6 = spec->net.v6.address.text;
	if (spec->net.kind == NETWORK_HOST)
		return copy_host(spec, HOSTS);
	int n = snprintf(text, sizeof(text),
			 "127.0.0.1\tlocalhost%s%s\n"
			 "::1\tlocalhost ip6-localhost ip6-loopback%s%s\n",
			 *address ? "" : " ", *address ? "" : spec->hostname, *address ? "" : " ",
			 *address ? "" : spec->hostname);
	if (*address)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s\t%s\n", address, spec->hostname);
	if (*address6)
		snprintf(text + n, sizeof(text) - (size_t)n, "%s\t%s\n", address6, spec->hostname);
	return write_text(spec, HOSTS, text);
}

/* host-gateway is known only once there is a network. */
static const char *address_of(const struct host *host, const struct spec *spec)
{
	return host->address ? host->address : spec->net.v4.gateway.text;
}

static int add_hosts(const struct spec *spec)
{
	if (!spec->host_count)
		return 0;
	scoped_fd file = open_again(spec, HOSTS);
	for (size_t i = 0; file >= 0 && i < spec->host_count; i++)
		if (dprintf(file, "%s\t%s\n", address_of(&spec->hosts[i], spec),
			    spec->hosts[i].name) < 0)
			return fail("--add-host %s", spec->hosts[i].name);
	return file < 0 ? -1 : 0;
}

/* With the host's network it is the host's, unless something is said of it. */
static int write_resolv_conf(const struct spec *spec)
{
	bool said = spec->dns.count || spec->dns_search.count || spec->dns_options.count;
	if (spec->net.kind == NETWORK_HOST && !said)
		return copy_host(spec, RESOLV_CONF);
	scoped_fd file = create(spec, RESOLV_CONF);
	return file < 0 ? -1 : resolv_write(file, spec);
}

int files_write(const struct spec *spec)
{
	char line[128];
	snprintf(line, sizeof(line), "%s\n", spec->hostname);
	if (write_text(spec, HOSTNAME, line) < 0)
		return -1;
	if (write_hosts(spec) < 0 || add_hosts(spec) < 0)
		return -1;
	return write_resolv_conf(spec);
}

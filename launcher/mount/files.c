#include "launcher/mount/files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
	int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
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
	scoped_fd from = open(own_files[which].target, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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
	int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	return file < 0 ? fail("open %s", path) : file;
}

/* Loopback alone, unless the network is the host's. */
static int write_hosts(const struct spec *spec)
{
	char text[512];
	if (spec->network == NETWORK_HOST)
		return copy_host(spec, HOSTS);
	snprintf(text, sizeof(text),
		 "127.0.0.1\tlocalhost %s\n"
		 "::1\tlocalhost ip6-localhost ip6-loopback %s\n",
		 spec->hostname, spec->hostname);
	return write_text(spec, HOSTS, text);
}

static int add_hosts(const struct spec *spec)
{
	if (!spec->host_count)
		return 0;
	scoped_fd file = open_again(spec, HOSTS);
	for (size_t i = 0; file >= 0 && i < spec->host_count; i++)
		if (dprintf(file, "%s\t%s\n", spec->hosts[i].address, spec->hosts[i].name) < 0)
			return fail("--add-host %s", spec->hosts[i].name);
	return file < 0 ? -1 : 0;
}

static int write_resolv_conf(const struct spec *spec)
{
	if (!spec->dns.count)
		return spec->network == NETWORK_HOST ? copy_host(spec, RESOLV_CONF)
						     : write_text(spec, RESOLV_CONF, "");
	scoped_fd file = create(spec, RESOLV_CONF);
	for (size_t i = 0; file >= 0 && i < spec->dns.count; i++)
		if (dprintf(file, "nameserver %s\n", spec->dns.at[i]) < 0)
			return fail("--dns %s", spec->dns.at[i]);
	return file < 0 ? -1 : 0;
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

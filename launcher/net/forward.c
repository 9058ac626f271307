#include "launcher/net/forward.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

#define IPV4 "/proc/sys/net/ipv4/"
#define IPV6 "/proc/sys/net/ipv6/"

/* The first digit of it; -1: there is none. */
static int read_digit(const char *path)
{
	char digit;
	scoped_fd file = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	return file >= 0 && read(file, &digit, 1) == 1 ? digit - '0' : -1;
}

static int write_digit(const char *path, int value)
{
	char digit = (char)('0' + value);
	scoped_fd file = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	return file >= 0 && write(file, &digit, 1) == 1 ? 0 : -1;
}

bool forward_has_ipv6(void)
{
	return read_digit(IPV6 "conf/all/disable_ipv6") == 0;
}

static const char *accept_ra(char path[128], const char *link)
{
	snprintf(path, 128, IPV6 "conf/%.15s/accept_ra", link);
	return path;
}

/*
 * ip-sysctl.rst, accept_ra: a link that forwards obeys router advertisements only where this is 2. TAKE is called
 * for each that is at 1.
 */
static void each_uplink(void (*take)(const char *link, char *record, size_t size), char *record, size_t size)
{
	char path[128];
	DIR *dir = opendir(IPV6 "conf");
	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *name = entry->d_name;
		if (name[0] != '.' && strcmp(name, "all") && strcmp(name, "default") && strcmp(name, "lo") &&
		    read_digit(accept_ra(path, name)) == 1)
			take(name, record, size);
	}
	closedir(dir);
}

static void note_uplink(const char *link, char *record, size_t size)
{
	size_t used = strlen(record);
	if (used + strlen(link) + 2 <= size)
		snprintf(record + used, size - used, ",%.15s", link);
}

static void keep_uplink(const char *link, char *record, size_t size)
{
	char path[128];
	(void)record;
	(void)size;
	write_digit(accept_ra(path, link), 2);
}

void forward_look(char *record, size_t size)
{
	bool v4 = read_digit(IPV4 "ip_forward") == 0;
	bool v6 = forward_has_ipv6() && read_digit(IPV6 "conf/all/forwarding") == 0;
	snprintf(record, size, "%s%s", v4 ? "4" : "", v6 ? "6" : "");
	if (v6)
		each_uplink(note_uplink, record, size);
}

int forward_on(void)
{
	if (read_digit(IPV4 "ip_forward") == 0 && write_digit(IPV4 "ip_forward", 1) < 0)
		return fail("switch on " IPV4 "ip_forward");
	if (!forward_has_ipv6() || read_digit(IPV6 "conf/all/forwarding") != 0)
		return 0;
	each_uplink(keep_uplink, NULL, 0);
	return write_digit(IPV6 "conf/all/forwarding", 1) < 0 ? fail("switch on " IPV6 "conf/all/forwarding") : 0;
}

void forward_off(const char *record)
{
	char path[128], link[16];
	if (*record == '4' && write_digit(IPV4 "ip_forward", 0) == 0)
		record++;
	if (*record == '6' && write_digit(IPV6 "conf/all/forwarding", 0) == 0)
		record++;
	for (int n; sscanf(record, ",%15[^,]%n", link, &n) == 1; record += n)
		if (read_digit(accept_ra(path, link)) == 2)
			write_digit(path, 1);
}

int forward_bridge(const char *name, bool loopback)
{
	char path[128];
	if (forward_has_ipv6()) {
		write_digit(accept_ra(path, name), 0);
		snprintf(path, sizeof(path), IPV6 "conf/%.15s/accept_dad", name);
		write_digit(path, 0);
	}
	snprintf(path, sizeof(path), IPV4 "conf/%.15s/route_localnet", name);
	return loopback && write_digit(path, 1) < 0 ? fail("switch on %s", path) : 0;
}

void forward_inside(void)
{
	write_digit(IPV6 "conf/default/accept_ra", 0);
	write_digit(IPV6 "conf/default/accept_dad", 0); /* nobody else has the address: a second less to wait */
}

#include "launcher/rights/sysctl.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* ipc_namespaces(7), network_namespaces(7): what each namespace has of its own. */
static const char *const of_ipc[] = {
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall",
	"kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced", "fs.mqueue.",
};

/* A name that ends with a dot stands for all below it. */
static bool is_ipc(const char *word)
{
	for (size_t i = 0; i < sizeof(of_ipc) / sizeof(*of_ipc); i++) {
		size_t length = strlen(of_ipc[i]);
		if (!strncmp(word, of_ipc[i], length) &&
		    (of_ipc[i][length - 1] == '.' || word[length] == '='))
			return true;
	}
	return false;
}

int sysctl_check(const char *word, bool own_ipc, bool own_network)
{
	const char *equals = strchr(word, '=');
	if (!equals || equals == word)
		return failx("--sysctl: '%s' is not KEY=VALUE", word);
	if (memchr(word, '/', (size_t)(equals - word)) || strstr(word, ".."))
		return failx("--sysctl: '%s' is not a parameter's name", word);
	if ((own_ipc && is_ipc(word)) || (own_network && !strncmp(word, "net.", 4)))
		return 0;
	failx("--sysctl: %.*s is not the container's own", (int)(equals - word), word);
	return hint("kernel.msg*, kernel.shm*, kernel.sem, fs.mqueue.* and, unless the network is the "
		    "host's, net.* are");
}

void sysctl_set_usual(int proc)
{
	/* moby's daemon/oci_linux.go */
	static const struct {
		const char *path, *value;
	} usual[] = {
		{ "sys/net/ipv4/ip_unprivileged_port_start", "0" },
		{ "sys/net/ipv4/ping_group_range", "0 2147483647" },
	};
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
		scoped_fd file = openat(proc, usual[i].path, O_WRONLY | O_CLOEXEC);
		if (file < 0 || write(file, usual[i].value, strlen(usual[i].value)) < 0)
			continue; /* no IPv4, or groups that are not mapped: as tight as the kernel has it */
	}
}

int sysctl_set(int proc, const char *word)
{
	char path[256];
	size_t length = strcspn(word, "=");
	int n = snprintf(path, sizeof(path), "sys/%.*s", (int)length, word);
	if (n < 0 || (size_t)n >= sizeof(path))
		return failx("--sysctl: the name is too long: %s", word);
	for (char *dot = path + strlen("sys/"); *dot; dot++)
		if (*dot == '.')
			*dot = '/';
	scoped_fd file = openat(proc, path, O_WRONLY | O_CLOEXEC);
	const char *value = word + length + 1;
	if (file < 0 || write(file, value, strlen(value)) < 0)
		return fail("--sysctl %s", word);
	return 0;
}

#include "launcher/net/net.h"

#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

int net_create(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		return fail("make a network namespace");
	scoped_fd socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	if (socket_ < 0 || ioctl(socket_, SIOCSIFFLAGS, &request) < 0)
		return fail("bring the loopback interface up");
	return 0;
}

int net_join(int pidfd)
{
	return setns(pidfd, CLONE_NEWNET) < 0 ? fail("join the network namespace") : 0;
}

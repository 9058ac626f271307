#include "launcher/rights/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rootfs/base/err.h"

int keyring_leave(void)
{
	/* ENOSYS: a kernel without keys */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return fail("leave the session's keyring");
	return 0;
}

/* The hardware watchdog: fed from init's one wait, so that it proves that init is alive. */
#include "init/machine.h"

#include <linux/watchdog.h>

static int fd;     /* 0: none */
static int period; /* milliseconds */
static long long feed_at;

void watchdog_open(const char *device)
{
	int seconds = 3;

	if (!device)
		return;
	fd = sys_open(device, O_WRONLY);
	if (fd < 0) {
		say("", device, -fd);
		fd = 0;
		return;
	}
	sys_ioctl(fd, WDIOC_GETTIMEOUT, &seconds);
	period = seconds * 300 + 100;
}

/* From the moment on that killing begins it gets nothing more: that may hang. */
int watchdog_due(void)
{
	long long left;

	if (!fd || drain_is_killing())
		return -1;
	left = feed_at - now();
	return left < 0 ? 0 : left;
}

void watchdog_feed(void)
{
	if (watchdog_due() != 0)
		return;
	sys_write(fd, "", 1);
	feed_at = now() + period;
}

/* Without the magic character it stays armed (watchdog-api.rst). */
void watchdog_close(void)
{
	if (!fd)
		return;
	sys_write(fd, "V", 1);
	sys_close(fd);
}

/*
 * The console. init keeps /dev/console, which outlives a hang-up; the program gets the tty
 * behind it, since only that can be a controlling terminal, and with it job control.
 */
#include "init/machine.h"

static char tty[64]; /* its path; "" is not known */

/* A root without /dev/console left init with nothing to speak to: devtmpfs has it. */
void console_find(void)
{
	char active[256], *at = active, *end = tty + sizeof(tty) - 1;
	long size;

	if (sys_fcntl(0, F_GETFD, 0) < 0 && sys_open("/dev/console", O_RDWR) == 0) {
		sys_dup3(0, 1);
		sys_dup3(0, 2);
		sys_fcntl(0, F_SETFD, 0);
	}
	/* "tty0 ttyS0\n": the last is the one that /dev/console leads to */
	size = read_file("/sys/class/tty/console/active", active, sizeof(active));
	if (size <= 0)
		return;
	active[size - 1] = 0;
	for (char *c = active; *c; c++)
		if (*c == ' ')
			at = c + 1;
	append(append(tty, end, "/dev/"), end, at);
}

void console_enter(void)
{
	int fd;

	sys_setsid();
	fd = sys_open(tty, O_RDWR | O_NOCTTY);
	if (fd < 0)
		return;
	/* 1: even from a session that an earlier program has left behind (tty_ioctl(4)) */
	sys_ioctl(fd, TIOCSCTTY, (void *)1);
	for (int i = 0; i < 3; i++)
		sys_dup3(fd, i);
}

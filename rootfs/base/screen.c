#include "rootfs/base/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

int screen_width(int fd)
{
	struct winsize size;
	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col ? size.ws_col : 80;
}

size_t screen_columns(const char *text)
{
	size_t columns = 0;
	for (; *text; text++)
		columns += (*text & 0xc0) != 0x80;
	return columns;
}

size_t screen_bytes(const char *text, size_t columns)
{
	size_t n = 0;
	for (; text[n]; n++)
		if ((text[n] & 0xc0) != 0x80 && columns-- == 0)
			break;
	return n;
}

#include "launcher/supervise/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/scoped.h"

/* ENXIO: a pipe that nobody reads; EACCES: another user's terminal; ENOENT: no /proc. Returns -1 then. */
static int open_anew(int fd)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return openat(AT_FDCWD, path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

static bool unblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	return flags >= 0 && !(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

struct output output_open(int fd)
{
	struct output output = OUTPUT_NONE;
	struct stat stat;
	output.fd = fd;
	if (fstat(fd, &stat) < 0)
		return output;
	output.is_socket = S_ISSOCK(stat.st_mode);
	output.is_terminal = S_ISCHR(stat.st_mode) && isatty(fd);
	if (!output.is_terminal && !S_ISFIFO(stat.st_mode))
		return output;
	output.own = open_anew(fd);
	if (output.own >= 0)
		output.fd = output.own;
	else if (unblock(fd))
		output.shared = fd;
	return output;
}

ssize_t output_write(const struct output *output, const void *bytes, size_t count)
{
	if (output->is_socket)
		return send(output->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(output->fd, bytes, count);
}

bool output_is_hung_up(const struct output *output)
{
	struct pollfd end = { output->fd, 0, 0 };
	return output->is_terminal && poll(&end, 1, 0) == 1 && end.revents & POLLHUP;
}

void output_close(struct output *output)
{
	scoped_close(&output->own);
	if (output->shared >= 0)
		fcntl(output->shared, F_SETFL, fcntl(output->shared, F_GETFL) & ~O_NONBLOCK);
	output->fd = output->own = output->shared = -1;
}

#include "rootfs/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/blob.h"
#include "rootfs/base/scoped.h"

static char *give_up(int error)
{
	errno = error;
	return NULL;
}

char *file_read(int file, size_t most, size_t *size)
{
	struct stat stat;
	if (fstat(file, &stat) < 0)
		return NULL;
	if (!S_ISREG(stat.st_mode))
		return give_up(EINVAL);
	if (stat.st_size > (off_t)most)
		return give_up(EFBIG);
	size_t length = (size_t)stat.st_size;
	const struct blob blob = { file, 0, length };
	scoped_ptr char *text = malloc(length + 1);
	ssize_t n = text ? blob_read(&blob, 0, text, length) : -1;
	if (n < 0)
		return NULL;
	if ((size_t)n != length)
		return give_up(EIO);
	text[length] = '\0';
	if (size)
		*size = length;
	return take_ptr(&text);
}

/* O_NONBLOCK: a FIFO would wait for its writer. */
char *file_read_at(int dir, const char *name, size_t most, size_t *size)
{
	scoped_fd file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return file < 0 ? NULL : file_read(file, most, size);
}

int file_write(int file, const void *data, size_t size)
{
	for (const char *at = data; size;) {
		ssize_t n = write(file, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int file_hash(int file, struct digest *digest)
{
	static unsigned char buffer[65536];
	struct sha256 sha;
	ssize_t n;
	sha256_init(&sha);
	for (off_t at = 0; (n = pread(file, buffer, sizeof(buffer), at)) > 0; at += n)
		sha256_update(&sha, buffer, (size_t)n);
	sha256_final(&sha, digest);
	return n < 0 ? -1 : 0;
}

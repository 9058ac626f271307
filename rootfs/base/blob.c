#include "rootfs/base/blob.h"

#include <errno.h>
#include <unistd.h>

ssize_t blob_read(const struct blob *blob, uint64_t at, void *data, size_t size)
{
	size_t done = 0;
	if (at >= blob->size)
		return 0;
	if (size > blob->size - at)
		size = blob->size - at;
	while (done < size) {
		ssize_t n = pread(blob->file, (char *)data + done, size - done,
				  blob->offset + at + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += n;
	}
	return (ssize_t)done;
}

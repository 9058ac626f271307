/* A layer, compressed or not: decompressor, tar reader, channel and writer. Whatever comes, nothing leaves the root. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/decode/decoder.h"
#include "rootfs/base/err.h"
#include "rootfs/layer/layer.h"
#include "rootfs/layer/remove.h"
#include "tests/fuzz/slow.h"

static int place = -1;
static char name[64];

static void prepare(void)
{
	if (place >= 0)
		return;
	snprintf(name, sizeof(name), "%s/wherry-fuzz.XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(name) || (place = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		abort();
	umask(0);
}

/* What is left in PLACE has escaped from the root. */
static bool is_empty(void)
{
	close(place);
	return rmdir(name) == 0 && mkdir(name, 0700) == 0 &&
	       (place = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0;
}

static void take(const unsigned char *data, size_t size)
{
	static const struct layer_limits limits = { .stream = 4 << 20, .tail = 1 << 20, .entries = 1000, .file = 1 << 20 };
	struct findings found;
	prepare();
	int blob = memfd_create("blob", MFD_CLOEXEC), implied = memfd_create("implied", MFD_CLOEXEC);
	if (blob < 0 || implied < 0 || write(blob, data, size) != (ssize_t)size || mkdirat(place, "root", 0700) < 0)
		abort();
	int root = openat(place, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct layer layer = { .blob = { blob, 0, size }, .window = DECODER_WINDOW };
	layer_extract(&layer, &limits, root, implied, NULL, &found);
	failure_clear();
	close(root);
	close(blob);
	close(implied);
	if (tree_remove(place, "root") < 0 || !is_empty())
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	slow_begin();
	take(data, size);
	slow_end(size);
	return 0;
}

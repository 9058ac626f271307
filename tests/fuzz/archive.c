/* An image archive: its index, its documents, and where they lead. Nothing is extracted. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rootfs/archive/archive.h"
#include "rootfs/base/err.h"
#include "rootfs/archive/plan.h"
#include "tests/fuzz/slow.h"

static void take(const unsigned char *data, size_t size)
{
	struct plan plan = { 0 };
	const struct plan_options options = { .platform = size & 1 ? "linux/arm/v7" : NULL, .quiet = true };
	struct archive archive = { .path = "fuzz", .dir = -1 };
	archive.file = memfd_create("archive", MFD_CLOEXEC);
	if (archive.file < 0 || write(archive.file, data, size) != (ssize_t)size)
		abort();
	if (archive_index(&archive) == 0)
		plan_read(&plan, &archive, &options);
	plan_free(&plan);
	archive_close(&archive);
	failure_clear();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	slow_begin();
	take(data, size);
	slow_end(size);
	return 0;
}

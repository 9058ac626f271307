#include "launcher/container/carried.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* linux/memfd.h, Linux 6.3 */
#endif

__asm__(".section .rodata.wherry_init,\"a\"\n"
	".balign 16\n"
	"carried_init:\n"
	".incbin \"" WHERRY_INIT_FILE "\"\n"
	"carried_init_end:\n"
	".previous\n");

extern const char carried_init[] __attribute__((visibility("hidden")));
extern const char carried_init_end[] __attribute__((visibility("hidden")));

/* EINVAL: a kernel before 6.3, where every memfd may be executed. */
static int create(void)
{
	int memory = memfd_create("wherry-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (memory < 0 && errno == EINVAL)
		memory = memfd_create("wherry-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return memory < 0 ? fail("make memory for the init") : memory;
}

static int fill_carried(int memory)
{
	/* Up to the limit of `ulimit -f` a write is done in part, and then fails. */
	for (const char *at = carried_init; at < carried_init_end;) {
		ssize_t n = write(memory, at, (size_t)(carried_init_end - at));
		if (n < 0)
			return fail("copy the init");
		at += n;
	}
	return 0;
}

static int fill_from(int memory, const char *path)
{
	struct stat stat;
	scoped_fd file = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &stat) < 0)
		return fail("--init-path %s", path);
	off_t done = 0;
	while (done < stat.st_size) {
		ssize_t n = sendfile(memory, file, &done, (size_t)(stat.st_size - done));
		if (n <= 0)
			return fail("--init-path %s", path);
	}
	return 0;
}

int carried_open(const char *path)
{
	scoped_fd memory = create();
	if (memory < 0 || (path ? fill_from(memory, path) : fill_carried(memory)) < 0)
		return -1;
	if (fchmod(memory, 0111) < 0)
		return fail("keep the init from being read");
	if (fcntl(memory, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return fail("seal the init");
	return take_fd(&memory);
}

/* Where the kernel enters: the two pieces of assembly of arch.h. */
#include "init/sys.h"

ARCH_TEXT(_start, ARCH_START);
ARCH_TEXT(sys_vfork, ARCH_VFORK);

/*
 * Without a libc the compiler still calls these: it may turn any loop or assignment
 * into them (gcc(1), -ffreestanding).
 */
__attribute__((used)) void *memset(void *to, int byte, unsigned long size)
{
	for (char *at = to; size; size--)
		*(volatile char *)at++ = byte;
	return to;
}

__attribute__((used)) void *memcpy(void *restrict to, const void *restrict from, unsigned long size)
{
	const char *source = from;

	for (char *at = to; size; size--)
		*(volatile char *)at++ = *source++;
	return to;
}

int sys_open(const char *path, int flags)
{
	return syscall3(__NR_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC);
}

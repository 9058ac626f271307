/*
 *	probe NUMBER [ARGUMENT…]	makes the system call, prints 0 or the error's name
 *	probe -32 NUMBER [ARGUMENT…]	as a 32-bit program makes it on x86-64
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long call32(const long *a)
{
#if defined(__x86_64__)
	long result;
	__asm__ volatile("int $0x80" : "=a"(result)
			 : "a"(a[0]), "b"(a[1]), "c"(a[2]), "d"(a[3]), "S"(a[4]), "D"(a[5])
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
#else
	(void)a;
	return -ENOSYS;
#endif
}

int main(int argc, char **argv)
{
	long a[7] = { 0 };
	int narrow = argc > 1 && !strcmp(argv[1], "-32");
	for (int i = 1 + narrow; i < argc && i < 7 + narrow; i++)
		a[i - 1 - narrow] = (long)strtoull(argv[i], NULL, 0);
	long result = narrow ? call32(a) : syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
	int error = narrow ? (result < 0 ? (int)-result : 0) : (result < 0 ? errno : 0);
	puts(error ? strerrorname_np(error) : "0");
	return 0;
}

#include "rootfs/base/aside.h"

#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "rootfs/base/err.h"

enum { STACK_SIZE = 256 * 1024 };

/* CLONE_VFORK: we wait, so that it may have our memory, the recorded failure included. */
static int run(char *stack, int flags, int (*work)(void *), void *argument)
{
	int status;
	pid_t pid = clone(work, stack + STACK_SIZE, flags | CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD,
			  argument);
	if (pid < 0)
		return fail("start a process with mounts of its own");
	if (waitpid(pid, &status, 0) < 0)
		return fail("wait for a process of wherry's");
	return status ? failx("a process of wherry's was killed") : 0;
}

int aside(int flags, int (*work)(void *), void *argument)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return fail("make a stack");
	int r = run(stack, flags, work, argument);
	munmap(stack, STACK_SIZE);
	return r;
}

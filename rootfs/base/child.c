#include "rootfs/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

enum { STACK_SIZE = 256 * 1024 };

pid_t child_fork(const char *what)
{
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		return fail("start %s", what);
	/* The parent may have ended before the signal was asked for: prctl(2). */
	if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		_exit(EXIT_WHERRY);
	return pid;
}

/* One write of less than PIPE_BUF: all of it arrives, or nothing (pipe(7)). */
static _Noreturn void tell(const struct child *child, int to)
{
	struct iovec parts[] = {
		{ (void *)failure_get(), sizeof(struct failure) },
		{ child->answer, child->size },
	};
	ssize_t size = (ssize_t)(sizeof(struct failure) + child->size);
	_exit(writev(to, parts, 2) == size ? 0 : EXIT_WHERRY);
}

int child_start(struct child *child, const char *what, int (*work)(void *), void *argument, void *answer, size_t size)
{
	int ends[2];
	*child = (struct child){ .report = -1, .what = what, .answer = answer, .size = size };
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail("make a pipe");
	scoped_fd from = ends[0];
	scoped_fd to = ends[1];
	child->pid = child_fork(what);
	if (child->pid == 0) {
		if (work(argument) < 0)
			failx("%s stopped without a reason", what);
		tell(child, to);
	}
	if (child->pid < 0) {
		child->pid = 0;
		return -1;
	}
	child->report = take_fd(&from);
	return 0;
}

static void wait_for(struct child *child)
{
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
}

int child_finish(struct child *child)
{
	struct failure failure;
	struct iovec parts[] = { { &failure, sizeof(failure) }, { child->answer, child->size } };
	scoped_fd report = take_fd(&child->report);
	ssize_t size;
	while ((size = readv(report, parts, 2)) < 0 && errno == EINTR)
		;
	wait_for(child);
	if (size != (ssize_t)(sizeof(failure) + child->size))
		return failx("%s was killed", child->what);
	return failure.status ? failure_take(&failure) : 0;
}

/* CLONE_VFORK: we wait, so that it may have our memory, the recorded failure included. */
static int run_on(char *stack, int flags, int (*work)(void *), void *argument)
{
	int status;
	pid_t pid = clone(work, stack + STACK_SIZE, flags | CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, argument);
	if (pid < 0)
		return fail("start a process with mounts of its own");
	if (waitpid(pid, &status, 0) < 0)
		return fail("wait for a process of wherry's");
	return status ? failx("a process of wherry's was killed") : 0;
}

int child_vfork(int flags, int (*work)(void *), void *argument)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return fail("make a stack");
	int result = run_on(stack, flags, work, argument);
	munmap(stack, STACK_SIZE);
	return result;
}

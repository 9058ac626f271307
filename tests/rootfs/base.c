/* Children, as rootfs/base has them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rootfs/base/child.h"
#include "rootfs/base/err.h"
#include "tests/lib/tap.h"

static int answer;

static int answers(void *argument)
{
	answer = *(int *)argument;
	return 0;
}

static int fails(void *argument)
{
	(void)argument;
	failx("it went wrong");
	return hint("do it right");
}

static int dies(void *argument)
{
	(void)argument;
	raise(SIGKILL);
	return 0;
}

static int gives_no_reason(void *argument)
{
	(void)argument;
	return -1;
}

static const struct {
	const char *sentence;
	int (*work)(void *);
	int result, answer;
	const char *text, *hint;
} children[] = {
	{ "a child's answer is found where it left it", answers, 0, 7, "", "" },
	{ "its failure is its parent's", fails, -1, 0, "it went wrong", "do it right" },
	{ "one that was killed is named", dies, -1, 0, "the child of this test was killed", "" },
	{ "one that fails has a reason", gives_no_reason, -1, 0, "the child of this test stopped without a reason", "" },
};

static void test_children(void)
{
	for (size_t i = 0; i < sizeof(children) / sizeof(*children); i++) {
		struct child child;
		int seven = 7, result = -2;
		answer = 0;
		failure_clear();
		if (child_start(&child, "the child of this test", children[i].work, &seven, &answer, sizeof(answer)) == 0)
			result = child_finish(&child);
		tap_ok(result == children[i].result && answer == children[i].answer &&
			       !strcmp(failure_get()->text, children[i].text) &&
			       !strcmp(failure_get()->hint, children[i].hint) && !child.pid,
		       "%s", children[i].sentence);
		failure_clear();
	}
}

static int sleeps(void *argument)
{
	(void)argument;
	pause();
	return 0;
}

/* The pipe's other end is the child's alone: it is closed when that ends. */
static void test_death(void)
{
	int ends[2];
	char byte;
	struct child child;
	if (pipe(ends) < 0)
		return;
	pid_t middle = fork();
	if (middle == 0) {
		close(ends[0]);
		child_start(&child, "the child of this test", sleeps, NULL, NULL, 0);
		_exit(0);
	}
	close(ends[1]);
	waitpid(middle, NULL, 0);
	alarm(30);
	tap_ok(read(ends[0], &byte, 1) == 0, "a child ends with its parent");
	close(ends[0]);
}

static int twice(void *argument)
{
	*(int *)argument *= 2;
	return failx("and a failure");
}

static void test_vfork(void)
{
	int number = 21;
	tap_ok(child_vfork(0, twice, &number) < 0 && number == 42 && !strcmp(failure_get()->text, "and a failure"),
	       "a child may have our memory");
	failure_clear();
}

int main(void)
{
	test_children();
	test_death();
	test_vfork();
	return tap_finish();
}

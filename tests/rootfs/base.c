/* Children, whole files and directories, as rootfs/base has them. */
#include <dirent.h>
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
#include "rootfs/base/dir.h"
#include "rootfs/base/err.h"
#include "rootfs/base/files.h"
#include "rootfs/base/scoped.h"
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
	child_start(&child, "the child of this test", sleeps, NULL, NULL, 0);
	child_kill(&child);
	child_kill(&child);
	tap_ok(!child.pid && waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "one that is killed is waited for, once");
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

static void test_files(int dir)
{
	size_t size = 0;
	scoped_fd file = openat(dir, "file", O_RDWR | O_CREAT, 0600);
	tap_ok(file_write(file, "abc", 3) == 0, "all is written");
	scoped_ptr char *text = file_read_at(dir, "file", 3, &size);
	tap_ok(text && size == 3 && !strcmp(text, "abc"), "a file is read whole, with a NUL behind");
	errno = 0;
	tap_ok(!file_read_at(dir, "file", 2, NULL) && errno == EFBIG, "one that is too large is not read");
	symlinkat("file", dir, "link");
	tap_ok(!file_read_at(dir, "link", 9, NULL) && errno == ELOOP, "nor is one by a link");
	mkfifoat(dir, "fifo", 0600);
	tap_ok(!file_read_at(dir, "fifo", 9, NULL) && errno == EINVAL, "nor what is no file, which is not waited for");
	tap_ok(!file_read_at(dir, "none", 9, NULL) && errno == ENOENT, "one that is not there is told apart");
	scoped_fd version = open("/proc/version", O_RDONLY);
	scoped_ptr char *empty = file_read(version, 9, &size);
	tap_ok(empty && size == 0, "one without a size is empty");
	struct digest digest;
	tap_ok(file_hash(file, &digest) == 0 &&
		       !strcmp(digest.hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
	       "the digest is that of all of it, wherever one reads");
	tap_ok(file_hash(dir, &digest) < 0 && errno == EISDIR, "a directory has none");
	scoped_fd full = open("/dev/full", O_WRONLY);
	tap_ok(file_write(full, "x", 1) < 0 && errno == ENOSPC, "a full disk is told");
}

static void test_dir(int dir)
{
	int names = 0;
	scoped_dir *stream = dir_open(dir, ".");
	while (dir_next(stream))
		names++;
	tap_ok(names == 3 && errno == 0, "a directory's names are all but . and ..");
	tap_ok(!dir_open(dir, "file") && errno == ENOTDIR, "a file has no names");
	tap_ok(!dir_from(-1), "no descriptor is no directory");
}

int main(void)
{
	char name[] = "/tmp/wherry-test.XXXXXX";
	test_children();
	test_death();
	test_vfork();
	scoped_fd dir = mkdtemp(name) ? open(name, O_RDONLY | O_DIRECTORY) : -1;
	test_files(dir);
	test_dir(dir);
	unlinkat(dir, "file", 0);
	unlinkat(dir, "link", 0);
	unlinkat(dir, "fifo", 0);
	rmdir(name);
	return tap_finish();
}

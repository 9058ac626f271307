/* The supervisor's wait: that it gives memory back, and that all of it is there again afterwards. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launcher/supervise/idle.h"
#include "tests/lib/tap.h"

/* Relocated pointers, which are given back, and variables, which are not. */
static const char *const volatile words[] = { "one", "two", "three" };
static volatile int counter = 41;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* KiB of FIELD in all of PID's mappings that have RIGHTS and whose line holds NAME. */
static long resident(pid_t pid, const char *rights, const char *name, const char *field)
{
	char path[64], line[512], seen[8];
	long sum = 0, value;
	int counts = 0;
	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*x-%*x %7s", seen) == 1)
			counts = !strcmp(seen, rights) && strstr(line, name);
		else if (counts && !strncmp(line, field, strlen(field)) &&
			 sscanf(line + strlen(field), ": %ld", &value) == 1)
			sum += value;
	}
	if (file)
		fclose(file);
	return sum;
}

/* Waits as PID, on one pipe, while another process looks at it and wakes it through that pipe. */
static void looked_at(int wake, int seen)
{
	pid_t waiter = getppid();
	long kib[3];
	usleep(1600000);
	kib[0] = resident(waiter, "r-xp", "tests/launcher/idle", "Rss");
	kib[1] = resident(waiter, "r--p", "tests/launcher/idle", "Rss");
	kib[2] = resident(waiter, "rw-p", "[stack]", "Rss");
	if (write(seen, kib, sizeof(kib)) != sizeof(kib) || write(wake, "", 1) != 1)
		_exit(1);
	_exit(0);
}

/* Leaves dirty pages below the stack pointer. */
static __attribute__((noinline)) int waste_stack(int byte)
{
	volatile char waste[256 << 10];
	for (size_t i = 0; i < sizeof(waste); i += 512)
		waste[i] = (char)byte;
	return waste[sizeof(waste) / 2];
}

static void test_long(void)
{
	int wake[2], seen[2], status;
	long kib[3] = { 0 };
	if (pipe2(wake, O_CLOEXEC) < 0 || pipe2(seen, O_CLOEXEC) < 0)
		exit(1);
	long page = sysconf(_SC_PAGESIZE) / 1024;
	waste_stack(1);
	int before = ++counter;
	pid_t child = fork();
	if (child == 0)
		looked_at(wake[1], seen[1]);
	struct pollfd waits[2] = { { wake[0], POLLIN, 0 }, { -1, POLLIN, 0 } };
	int r = idle_poll(waits, 2);
	tap_ok(r == 1 && waits[0].revents == POLLIN && !waits[1].revents, "wakes after a long wait");
	tap_ok(!strcmp(words[0], "one") && !strcmp(words[2], "three") && counter == before,
	       "has its pointers and variables back");
	tap_ok(read(seen[0], kib, sizeof(kib)) == sizeof(kib), "was looked at");
	tap_ok(kib[0] == page, "had one page of code resident: %ld KiB", kib[0]);
	tap_ok(kib[1] == 0, "had no constants resident: %ld KiB", kib[1]);
	tap_ok(kib[2] > 0 && kib[2] <= 8 * page, "had a small stack: %ld KiB", kib[2]);
	tap_ok(waitpid(child, &status, 0) == child && status == 0, "and its child ends well");
}

static void test_short(void)
{
	int pipes[2];
	if (pipe2(pipes, O_CLOEXEC) < 0 || write(pipes[1], "", 1) != 1)
		exit(1);
	struct pollfd wait = { pipes[0], POLLIN, 0 };
	double start = now();
	tap_ok(idle_poll(&wait, 1) == 1 && wait.revents == POLLIN, "sees what is ready");
	tap_ok(now() - start < 0.5, "at once");
}

int main(void)
{
	test_short();
	test_long();
	/* once more: the first time has changed the mappings */
	test_long();
	return tap_finish();
}

/*
 * What the tests run inside containers.
 *
 *	tool -mb N [-hang]   allocates N MiB, touches every page, says so
 *	tool -hang           sleeps until a signal comes
 *	tool -fork N         starts N children that sleep, says how many it got
 *	tool -signals        says "ready", then the number of each signal that it gets; TERM ends it with 42
 *	tool -show           prints what it was given: uids, gids, groups, limits on itself, descriptors
 *	tool -escape         climbs out of a chroot by a directory kept open, lists where it got to
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void allocate(long megabytes)
{
	size_t size = (size_t)megabytes << 20;
	char *memory = malloc(size);
	if (!memory) {
		perror("malloc");
		exit(1);
	}
	for (size_t at = 0; at < size; at += 4096)
		memory[at] = 1;
	printf("allocated %ld MiB\n", megabytes);
	fflush(stdout);
}

static _Noreturn void hang(void)
{
	for (;;)
		pause();
}

static int start_children(long wanted)
{
	long got = 0;
	for (; got < wanted; got++) {
		pid_t pid = fork();
		if (pid < 0)
			break;
		if (!pid)
			hang();
	}
	int error = got < wanted ? errno : 0;
	printf("children %ld%s%s\n", got, error ? ": " : "", error ? strerror(error) : "");
	fflush(stdout);
	kill(0, SIGKILL);
	return 0;
}

static int print_signals(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	printf("ready\n");
	fflush(stdout);
	for (int number; !sigwait(&all, &number);) {
		printf("%d\n", number);
		fflush(stdout);
		if (number == SIGTERM)
			return 42;
	}
	return 1;
}

static void show_descriptors(void)
{
	struct stat status;
	printf("descriptors");
	for (int fd = 0; fd < 1024; fd++)
		if (!fstat(fd, &status))
			printf(" %d", fd);
	printf("\n");
}

static int show(void)
{
	gid_t groups[64];
	int count = getgroups(64, groups);
	printf("uid %d %d gid %d %d\ngroups", getuid(), geteuid(), getgid(), getegid());
	for (int i = 0; i < count; i++)
		printf(" %d", groups[i]);
	printf("\npid %d parent %d\n", getpid(), getppid());
	show_descriptors();
	return 0;
}

static int escape(void)
{
	int before = open("/", O_RDONLY | O_DIRECTORY);
	if (mkdir("/tmp/jail", 0700) < 0 || chroot("/tmp/jail") < 0 || fchdir(before) < 0) {
		perror("chroot");
		return 1;
	}
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return 1;
	DIR *here = opendir(".");
	for (struct dirent *entry; here && (entry = readdir(here));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			printf("%s\n", entry->d_name);
	return !here;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	if (!strcmp(verb, "-mb") && argc > 2) {
		allocate(atol(argv[2]));
		if (argc == 3)
			return 0;
		hang();
	}
	if (!strcmp(verb, "-hang"))
		hang();
	if (!strcmp(verb, "-fork") && argc > 2)
		return start_children(atol(argv[2]));
	if (!strcmp(verb, "-signals"))
		return print_signals();
	if (!strcmp(verb, "-show"))
		return show();
	if (!strcmp(verb, "-escape"))
		return escape();
	fprintf(stderr, "usage: tool -mb N [-hang] | -hang | -fork N | -signals | -show | -escape\n");
	return 2;
}

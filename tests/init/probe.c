/*
 * What the tests of init run under it, before it and beside it.
 *
 *	catch N		prints "ready", then "SIGNAL CODE VALUE" for each of N signals of any kind
 *	queue PID SIGNAL VALUE COUNT	sigqueue(3), COUNT times, VALUE counting up
 *	as [+SIGNAL | -SIGNAL | ^SIGNAL]... -- COMMAND	with it blocked, ignored, blocked and pending
 *	early N COMMAND		starts it with all signals blocked, and queues N at once
 *	older N COMMAND		becomes it, with N children that have ended and one that goes on
 *	orphans N	N orphans end at once
 *	term FILE WORD [DELAY]	on TERM: appends WORD to FILE after DELAY milliseconds, and ends
 *	crash PID	makes it execute address 0
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The kernel's own calls: a libc's leave out the signals that it keeps for itself. */
static void mask(int how, uint64_t set)
{
	if (syscall(SYS_rt_sigprocmask, how, &set, NULL, sizeof(set)) < 0)
		err(1, "rt_sigprocmask");
}

static void queue(pid_t pid, int sig, int value)
{
	siginfo_t info = { .si_signo = sig, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_value.sival_int = value;
	if (syscall(SYS_rt_sigqueueinfo, pid, sig, &info) < 0)
		err(1, "rt_sigqueueinfo");
}

static int catch(int n)
{
	uint64_t all = ~0ULL;
	siginfo_t info;

	mask(SIG_BLOCK, all);
	puts("ready");
	fflush(stdout);
	while (n--) {
		if (syscall(SYS_rt_sigtimedwait, &all, &info, NULL, sizeof(all)) < 0)
			err(1, "rt_sigtimedwait");
		printf("%d %d %d\n", info.si_signo, info.si_code, info.si_value.sival_int);
		fflush(stdout);
	}
	return 0;
}

/* Through the kernel again, since signal(3) refuses 32 to 34. */
static void ignore(int sig)
{
	unsigned long action[8] = { (unsigned long)SIG_IGN };

	if (syscall(SYS_rt_sigaction, sig, action, NULL, 8) < 0)
		err(1, "rt_sigaction");
}

static int as(char **argv)
{
	for (; *argv && strcmp(*argv, "--"); argv++) {
		int sig = atoi(*argv + 1);

		if (**argv == '-')
			ignore(sig);
		else
			mask(SIG_BLOCK, 1ULL << (sig - 1));
		if (**argv == '^' && fork() == 0) {
			kill(getppid(), sig);
			_exit(0);
		} else if (**argv == '^') {
			wait(NULL);
		}
	}
	execvp(argv[1], argv + 1);
	err(1, "%s", argv[1]);
}

static int early(int n, char **argv)
{
	pid_t pid;
	int status;

	mask(SIG_BLOCK, ~0ULL);
	pid = fork();
	if (pid == 0) {
		execvp(*argv, argv);
		err(1, "%s", *argv);
	}
	for (int i = 0; i < n; i++)
		queue(pid, 40, i);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int older(int n, char **argv)
{
	while (n--)
		if (fork() == 0)
			_exit(3);
	if (fork() == 0) {
		execlp("sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	usleep(50000);
	execvp(*argv, argv);
	err(1, "%s", *argv);
}

/* They wait for a pipe to be closed, their parent ends, and then the last writer closes it. */
static int orphans(int n)
{
	int gate[2];
	char byte;

	if (pipe(gate) < 0)
		err(1, "pipe");
	if (fork() == 0) {
		close(gate[1]);
		for (int i = 0; i < n; i++) {
			pid_t pid = fork();

			if (pid < 0)
				err(1, "fork");
			if (pid == 0)
				_exit(read(gate[0], &byte, 1));
		}
		_exit(0);
	}
	wait(NULL);
	return 0;
}

static const char *term_file, *term_word;
static int term_delay;

static void on_term(int sig)
{
	struct timespec delay = { term_delay / 1000, term_delay % 1000 * 1000000L };
	int fd = open(term_file, O_WRONLY | O_APPEND | O_CREAT, 0600);
	ssize_t written;

	(void)sig;
	nanosleep(&delay, NULL);
	written = write(fd, term_word, strlen(term_word));
	_exit(written < 0);
}

static _Noreturn void term(void)
{
	signal(SIGTERM, on_term);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

static int crash(pid_t pid)
{
#ifdef __x86_64__
	struct user_regs_struct regs;

	if (ptrace(PTRACE_ATTACH, pid, 0, 0) < 0)
		err(1, "ptrace");
	waitpid(pid, NULL, __WALL);
	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
		err(1, "ptrace");
	regs.rip = 0;
	regs.orig_rax = -1UL; /* or the call that it waits in would be restarted, at rip - 2 */
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) < 0 || ptrace(PTRACE_DETACH, pid, 0, 0) < 0)
		err(1, "ptrace");
	return 0;
#else
	(void)pid;
	return 77;
#endif
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	int n = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(what, "catch"))
		return catch(n);
	if (!strcmp(what, "as"))
		return as(argv + 2);
	if (!strcmp(what, "early"))
		return early(n, argv + 3);
	if (!strcmp(what, "older"))
		return older(n, argv + 3);
	if (!strcmp(what, "orphans"))
		return orphans(n);
	if (!strcmp(what, "crash"))
		return crash(n);
	if (!strcmp(what, "queue") && argc == 6) {
		for (int i = 0; i < atoi(argv[5]); i++)
			queue(n, atoi(argv[3]), atoi(argv[4]) + i);
		return 0;
	}
	if (!strcmp(what, "term") && argc > 3) {
		term_file = argv[2];
		term_word = argv[3];
		term_delay = argc > 4 ? atoi(argv[4]) : 0;
		term();
	}
	warnx("see the top of tests/init/probe.c");
	return 2;
}

/*
 * The program's place in sessions and process groups, and who has the terminal.
 *
 *	LEADER	we lead the session of a terminal: the program gets both, in a session
 *		of its own. Nobody could continue what Ctrl-Z stops there, and the kernel
 *		knows it: in an orphaned process group Ctrl-Z stops nothing.
 *	JOB	one of a shell's jobs: the program is in a group of its own, and in the
 *		foreground whenever we are put there; while we are in the background the
 *		terminal is left alone. When it stops we stop, and the shell takes over.
 *	NONE	no terminal: a group of its own, the session stays.
 */
#include "init/init.h"

static enum { NONE, LEADER, JOB } kind;
static int terminal; /* from terminal_open to terminal_close, -1: none */
static bool opened;  /* by us: it was not one of the three that we were given */
static bool in_front;

static void terminal_open(void)
{
	int group;

	opened = false;
	for (terminal = 0; terminal < 3; terminal++)
		if (sys_ioctl(terminal, TIOCGPGRP, &group) == 0)
			return;
	terminal = sys_open("/dev/tty", O_RDWR | O_NOCTTY);
	opened = terminal >= 0;
}

static void terminal_close(void)
{
	if (opened)
		sys_close(terminal);
	opened = false;
}

/*
 * Whether our group is in the foreground. In a PID namespace both groups may be from
 * outside and read as 0. Then a read for nothing tells: the background is refused with
 * EIO, as long as SIGTTIN is blocked; non-blocking, since another may be reading.
 */
static bool foreground(void)
{
	int group = sys_getpgid(0), front, fd, result;

	if (sys_ioctl(terminal, TIOCGPGRP, &front) < 0 || front != group)
		return false;
	if (group)
		return true;
	fd = sys_open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK);
	result = sys_read(fd, &front, 0);
	sys_close(fd);
	return result >= 0 || result == -EAGAIN;
}

/* SIGTTOU is blocked, so that this works from the background too (tcsetpgrp(3)). */
static void bring_forward(int group)
{
	sys_ioctl(terminal, TIOCSPGRP, &group);
}

/*
 * Leaving the terminal sends HUP and CONT to its foreground group, that is to us
 * (TIOCNOTTY in tty_ioctl(4)). The sender tells ours from one that was pending before,
 * which goes back into the queue.
 */
static void swallow(int sig)
{
	siginfo_t info;
	int self = sys_getpid();

	if (signals_next(SIGBIT(sig), &info, 0) == sig &&
	    (info.si_code != SI_USER || info.si_pid != self))
		sys_rt_sigqueueinfo(self, sig, &info);
}

void terminal_prepare(void)
{
	terminal_open();
	kind = terminal < 0 ? NONE : JOB;
	if (kind == NONE)
		return;
	in_front = foreground();
	if (sys_getsid(0) != sys_getpid())
		return;
	kind = LEADER;
	sys_ioctl(terminal, TIOCNOTTY, NULL);
	swallow(SIGHUP);
	swallow(SIGCONT);
}

void terminal_enter(void)
{
	if (kind == LEADER) {
		sys_setsid();
		sys_ioctl(terminal, TIOCSCTTY, NULL);
		return;
	}
	sys_setpgid(0, 0);
	if (kind == JOB && in_front)
		bring_forward(sys_getpid());
}

void terminal_started(void)
{
	terminal_close();
}

/*
 * To the shell a job is stopped when all of it is, so this stops our whole group. Leading
 * a group of its own PID 1 cannot stop (pid_namespaces(7)) and nobody would see: then
 * Ctrl-Z is undone.
 */
void terminal_stopped(int sig)
{
	if (kind != JOB)
		return;
	if (!is_pid1 || sys_getpgid(0) != 1)
		sys_kill(0, SIGSTOP);
	else if (sig == SIGTSTP)
		sys_kill(-program.pid, SIGCONT);
}

bool terminal_continued(void)
{
	if (kind != JOB)
		return false;
	terminal_open();
	if (foreground())
		bring_forward(program.pid);
	terminal_close();
	return true;
}

/* A script that started us goes on reading from its terminal. */
void terminal_leave(void)
{
	int front = 0;

	if (kind != JOB)
		return;
	terminal_open();
	if (sys_ioctl(terminal, TIOCGPGRP, &front) == 0 && front == program.pid)
		bring_forward(sys_getpgid(0));
	terminal_close();
}

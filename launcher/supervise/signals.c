#include "launcher/supervise/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rootfs/base/err.h"

static const struct {
	const char *name;
	int number;
} names[] = {
	{ "HUP", SIGHUP },       { "INT", SIGINT },   { "QUIT", SIGQUIT }, { "ILL", SIGILL },
	{ "TRAP", SIGTRAP },     { "ABRT", SIGABRT }, { "BUS", SIGBUS },   { "FPE", SIGFPE },
	{ "KILL", SIGKILL },     { "USR1", SIGUSR1 }, { "SEGV", SIGSEGV }, { "USR2", SIGUSR2 },
	{ "PIPE", SIGPIPE },     { "ALRM", SIGALRM }, { "TERM", SIGTERM }, { "STKFLT", SIGSTKFLT },
	{ "CHLD", SIGCHLD },     { "CONT", SIGCONT }, { "STOP", SIGSTOP }, { "TSTP", SIGTSTP },
	{ "TTIN", SIGTTIN },     { "TTOU", SIGTTOU }, { "URG", SIGURG },   { "XCPU", SIGXCPU },
	{ "XFSZ", SIGXFSZ },     { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },
	{ "WINCH", SIGWINCH },   { "IO", SIGIO },     { "POLL", SIGPOLL }, { "PWR", SIGPWR },
	{ "SYS", SIGSYS },
};

/* signal(7): glibc keeps 32 and 33 for itself, and images are mostly built for glibc: RTMIN is 34. */
enum { RT_MIN = 34, RT_MAX = 64 };

static int parse_number(const char *text, int least, int most)
{
	char *end;
	long n = strtol(text, &end, 10);
	return end == text || *end || n < least || n > most ? -1 : (int)n;
}

static int real_time(const char *name)
{
	if (!strcasecmp(name, "RTMIN"))
		return RT_MIN;
	if (!strncasecmp(name, "RTMIN+", 6)) {
		int offset = parse_number(name + 6, 0, RT_MAX - RT_MIN);
		return offset < 0 ? -1 : RT_MIN + offset;
	}
	if (!strcasecmp(name, "RTMAX"))
		return RT_MAX;
	if (!strncasecmp(name, "RTMAX-", 6)) {
		int offset = parse_number(name + 6, 0, RT_MAX - RT_MIN);
		return offset < 0 ? -1 : RT_MAX - offset;
	}
	return -1;
}

int signal_number(const char *text)
{
	if (*text >= '0' && *text <= '9')
		return parse_number(text, 1, RT_MAX);
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcasecmp(text, names[i].name))
			return names[i].number;
	return real_time(text);
}

/*
 * All 64 signals of the kernel: sigfillset leaves out those that the libc keeps for itself. One mask
 * for rt_sigprocmask, another, of the same bits, for signalfd.
 */
static const uint64_t every_signal = ~0ULL;

void signals_block(void)
{
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &every_signal, NULL, sizeof(every_signal));
}

int signals_open(void)
{
	int signals = (int)syscall(SYS_signalfd4, -1, &every_signal, sizeof(every_signal),
				   SFD_CLOEXEC | SFD_NONBLOCK);
	return signals < 0 ? fail("watch for signals") : signals;
}

bool signals_stop(int signal)
{
	const uint64_t mask = 1ULL << (signal - 1);
	sigset_t pending;
	raise(signal); /* which does away with a SIGCONT that is pending */
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, sizeof(mask));
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, sizeof(mask));
	return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1;
}

/* Its value: sigqueue(3). */
void signals_forward(pid_t to, const struct signalfd_siginfo *from)
{
	if (from->ssi_signo == SIGPIPE && (pid_t)from->ssi_pid == getpid())
		return;
	if (from->ssi_code != SI_QUEUE) {
		kill(to, (int)from->ssi_signo);
		return;
	}
	siginfo_t info = { 0 };
	info.si_signo = (int)from->ssi_signo;
	info.si_code = SI_QUEUE;
	info.si_pid = (pid_t)from->ssi_pid;
	info.si_uid = from->ssi_uid;
	info.si_value.sival_ptr = (void *)(uintptr_t)from->ssi_ptr;
	syscall(SYS_rt_sigqueueinfo, to, info.si_signo, &info);
}

#include "launcher/supervise/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rootfs/base/err.h"

/*
 * All 64 signals of the kernel: sigfillset leaves out those that the libc keeps for itself. One mask
 * for rt_sigprocmask, another, of the same bits, for signalfd.
 */
static const uint64_t every_signal = ~0ULL;

void signals_block(void)
{
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &every_signal, NULL, sizeof(every_signal));
}

static int watch(uint64_t mask)
{
	int signals = (int)syscall(SYS_signalfd4, -1, &mask, sizeof(mask), SFD_CLOEXEC | SFD_NONBLOCK);
	return signals < 0 ? fail("watch for signals") : signals;
}

int signals_open(void)
{
	return watch(every_signal);
}

int signals_open_end(void)
{
	static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	uint64_t mask = 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct sigaction action;
		if (sigaction(ends[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			mask |= 1ULL << (ends[i] - 1);
	}
	return watch(mask);
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

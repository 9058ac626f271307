/* Signals are never handled, only waited for: so none is lost, and none interrupts. */
#include "init/init.h"

#include <linux/time.h>

/*
 * SIGCHLD gets a handler that never runs, because it is never unblocked: ignored, as it
 * may be inherited, children would vanish without a status (sigaction(2)), and setting
 * the default would discard one that is pending.
 */
void signals_take(void)
{
	static const sigbits all = ~0ULL;
	static const struct disposition waited_for = { .handler = (void *)2 };

	sys_sigprocmask(SIG_SETMASK, &all, &program.mask);
	sys_sigaction(SIGCHLD, &waited_for, &program.chld);
}

int signals_next(sigbits set, siginfo_t *info, int ms)
{
	struct __kernel_timespec timeout = { (unsigned)ms / 1000, (unsigned)ms % 1000 * 1000000 };

	return sys_sigtimedwait(&set, info, ms < 0 ? NULL : &timeout);
}

/*
 * A value and the sender travel on with a queued signal (negative codes; rt_sigqueueinfo(2)
 * allows no others, nor a group). Where the queue is full, kill(2) still delivers the signal.
 */
void signals_forward(int sig, const siginfo_t *info)
{
	sig ^= opt.rewrite[sig];
	if (!sig || !program.pid)
		return;
	if (opt.group || (sig == SIGCONT && terminal_continued()))
		sys_kill(-program.pid, sig);
	else if (info->si_code >= 0 || info->si_code == SI_TKILL ||
		 sys_rt_sigqueueinfo(program.pid, sig, info) < 0)
		sys_kill(program.pid, sig);
}

long long now(void)
{
	struct __kernel_timespec time;

	sys_clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + (unsigned)time.tv_nsec / 1000000;
}

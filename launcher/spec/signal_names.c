#include "launcher/spec/signal_names.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

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

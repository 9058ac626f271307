/* The command line. */
#include "init/init.h"

#ifndef VERSION
#define VERSION "0.1"
#endif

enum option {
	GROUP, SUBREAPER, HELP, SHOW_VERSION, GRACE, STOP_SIGNAL, PDEATHSIG, REMAP, REWRITE,
	OOM_SCORE_ADJ, REPORT_FD, ON_EXIT, MODULES, WATCHDOG, EXIT_TO,
	WITH_VALUE = GRACE
};

/* In the order of enum option: what --help prints, and up to the space what is looked for. */
static const char rows[] =
	"group\0"
	"subreaper\0"
	"help\0"
	"version\0"
	"grace DURATION\0"
	"stop-signal SIGNAL\0"
	"pdeathsig SIGNAL\0"
	"remap STATUS:STATUS\0"
	"rewrite SIGNAL:SIGNAL\0"
	"oom-score-adj N\0"
	"report-fd N\0"
	"on-exit poweroff|reboot|halt|respawn\0"
	"modules FILE\0"
	"watchdog DEVICE\0"
	"exit-to FILE|vsock:PORT|port:NUMBER\0";

/* In the order of their numbers, from 1. */
static const char signals[] =
	"HUP\0INT\0QUIT\0ILL\0TRAP\0ABRT\0BUS\0FPE\0KILL\0USR1\0SEGV\0USR2\0PIPE\0ALRM\0TERM\0"
	"STKFLT\0CHLD\0CONT\0STOP\0TSTP\0TTIN\0TTOU\0URG\0XCPU\0XFSZ\0VTALRM\0PROF\0WINCH\0IO\0"
	"PWR\0SYS\0";

static const char actions[] = "poweroff\0reboot\0halt\0respawn\0"; /* enum action */

struct options opt;

/* The position of WORD in a list of names, or -1. */
static int find(const char *names, const char *word, const char **end)
{
	for (int i = 0; *names; i++) {
		if (same_word(word, names, end))
			return i;
		while (*names++)
			;
	}
	return -1;
}

/* RTMIN+3, RTMAX-1, as in container images; as everywhere on Linux 34 is RTMIN. */
static int read_realtime(const char **at)
{
	const char *s = *at;
	int sign = s[3] == 'A' ? -1 : 1, sig = sign < 0 ? LAST_SIGNAL : 34;

	for (const char *name = sign < 0 ? "RTMAX" : "RTMIN"; *name; name++)
		if (*s++ != *name)
			return -1;
	if (*s == (sign < 0 ? '-' : '+')) {
		s++;
		sig += sign * read_number(&s);
	}
	*at = s;
	return sig;
}

/* A name with or without SIG, or a number; -1 if neither. */
static int read_signal(const char **at)
{
	int sig = read_number(at);

	if (sig < 0) {
		if ((*at)[0] == 'S' && (*at)[1] == 'I' && (*at)[2] == 'G')
			*at += 3;
		sig = find(signals, *at, at) + 1;
		if (!sig)
			sig = read_realtime(at);
	}
	return sig > LAST_SIGNAL ? -1 : sig;
}

/* 1500ms, 3s, 1m30s; a bare number is seconds. Milliseconds, or -1. */
static int read_duration(const char **at)
{
	int sum = 0;

	do {
		int number = read_number(at), unit = 1000;

		if (**at == 'm' && (*at)[1] == 's')
			unit = 1, ++*at;
		else if (**at == 'm')
			unit = 60 * 1000;
		else if (**at == 'h')
			unit = 60 * 60 * 1000;
		else if (**at && **at != 's')
			return -1;
		if (number < 0 || __builtin_mul_overflow(number, unit, &number) ||
		    __builtin_add_overflow(sum, number, &sum))
			return -1;
	} while (**at && *++*at);
	return sum;
}

/* FROM:TO, entered in a table of differences. */
static int read_pair(const char **at, int (*read)(const char **), uint8_t *table, int limit)
{
	int from = read(at), to = -1;

	if (*(*at)++ == ':')
		to = read(at);
	if (from < 0 || to < 0 || from > limit || to > limit)
		return -1;
	table[from] = from ^ to;
	return 0;
}

static int read_score(const char **at)
{
	opt.oom_score_adj = *at;
	*at += **at == '-';
	return read_number(at) > 1000 ? -1 : 0;
}

static int read_file(const char **at, const char **file)
{
	*file = *at;
	while (**at)
		++*at;
	return **file ? 0 : -1;
}

static int read_exit_to(const char **at)
{
	for (int i = 0; i < 3; i++)
		if (!opt.exit_to[i])
			return read_file(at, &opt.exit_to[i]);
	return -1;
}

static int read_value(enum option option, const char **at)
{
	int value;

	switch (option) {
	case GRACE:
		return opt.grace = read_duration(at);
	case STOP_SIGNAL:
		value = read_signal(at);
		opt.stop_signal = value;
		return value - 1;
	case PDEATHSIG:
		value = read_signal(at);
		opt.pdeathsig = value;
		return value - 1;
	case REMAP:
		return read_pair(at, read_number, opt.remap, 255);
	case REWRITE:
		return read_pair(at, read_signal, opt.rewrite, LAST_SIGNAL);
	case OOM_SCORE_ADJ:
		return read_score(at);
	case REPORT_FD:
		return opt.report_fd = read_number(at);
	case ON_EXIT:
		value = find(actions, *at, at);
		opt.on_exit = value;
		return value;
	case MODULES:
		return read_file(at, &opt.modules);
	case WATCHDOG:
		return read_file(at, &opt.watchdog);
	case EXIT_TO:
		return read_exit_to(at);
	default:
		return -1;
	}
}

static void help(void)
{
	char text[640], *at = text, *end = text + sizeof(text);

	at = append(at, end, "usage: wherry-init [OPTION...] [--] PROGRAM [ARGUMENT...]\n");
	for (const char *row = rows; *row; row++) {
		at = append(at, end, "  --");
		at = append(at, end, row);
		at = append(at, end, "\n");
		while (*row)
			row++;
	}
	put(1, text, at - text);
	quit(0);
}

static _Noreturn void refuse(const char *why, const char *word)
{
	say(why, word, 0);
	quit(EXIT_USAGE);
}

static void set_flag(enum option option)
{
	if (option == GROUP)
		opt.group = true;
	else if (option == SUBREAPER)
		opt.subreaper = true;
	else if (option == HELP)
		help();
	else {
		put(1, "wherry-init " VERSION "\n", sizeof("wherry-init " VERSION));
		quit(0);
	}
}

/* One option, which may take the next word as its value; returns what follows. */
static char **read_option(char **argv)
{
	const char *word = *argv++, *value = "";
	int option = word[1] == '-' ? find(rows, word + 2, &value) : -1;

	if (option < 0 || *value == ':')
		refuse("unknown option: ", word);
	if (option < WITH_VALUE) {
		if (*value)
			refuse("takes no value: ", word);
		set_flag(option);
		return argv;
	}
	if (*value)
		value++;
	else if (!(value = *argv++))
		refuse("needs a value: ", word);
	if (read_value(option, &value) < 0 || *value)
		refuse("bad value: ", word);
	return argv;
}

char **options_read(char **argv)
{
	opt.report_fd = -1;
	opt.stop_signal = SIGTERM;
	while (*argv && **argv == '-') {
		if ((*argv)[1] == '-' && !(*argv)[2])
			return argv + 1;
		argv = read_option(argv);
	}
	return argv;
}

/* The command line, from the kernel, a caller or a record. */
#include "init/init.h"

#ifndef VERSION
#define VERSION "0.1"
#endif

/* A line each, as --help prints them; up to the space is what is looked for. */
static const char help[] =
	"usage: wherry-init [OPTION...] [--] PROGRAM [ARGUMENT...]\n";
static const char rows[] =
	"--help\n"
	"--version\n"
	"--group\n"
	"--subreaper\n"
	"--grace DURATION\n"
	"--stop-signal SIGNAL\n"
	"--pdeathsig SIGNAL\n"
	"--remap STATUS:STATUS\n"
	"--rewrite SIGNAL:SIGNAL\n"
	"--oom-score-adj N\n"
	"--report-fd N\n"
	"--env NAME=VALUE\n"
	"--cwd DIRECTORY\n"
	"--user UID:GID\n"
	"--on-exit ACTION\n"
	"--modules FILE\n"
	"--watchdog DEVICE\n"
	"--exit-to WHERE\n";

enum kind { HELP, VERSION_, FLAG, DURATION, SIGNAL, STATUSES, SIGNALS, TEXT, NUMBER, ENV, USER, ACTION };

/* In the same order: how to read the value, and what of struct options it is for. */
#define ROW(kind, field) { kind, offsetof(struct options, field) }
static const struct {
	uint8_t kind, offset;
} rules[] = {
	ROW(HELP, group),
	ROW(VERSION_, group),
	ROW(FLAG, group),
	ROW(FLAG, subreaper),
	ROW(DURATION, grace),
	ROW(SIGNAL, stop_signal),
	ROW(SIGNAL, pdeathsig),
	ROW(STATUSES, group),
	ROW(SIGNALS, group),
	ROW(TEXT, oom_score_adj),
	ROW(NUMBER, report_fd),
	ROW(ENV, group),
	ROW(TEXT, cwd),
	ROW(USER, group),
	ROW(ACTION, on_exit),
	ROW(TEXT, modules),
	ROW(TEXT, watchdog),
	ROW(TEXT, exit_to),
};
enum { MACHINE_ONLY = 14 }; /* from this row on */

/* In the order of their numbers, from 1. */
static const char signals[] =
	"HUP\nINT\nQUIT\nILL\nTRAP\nABRT\nBUS\nFPE\nKILL\nUSR1\nSEGV\nUSR2\nPIPE\nALRM\nTERM\n"
	"STKFLT\nCHLD\nCONT\nSTOP\nTSTP\nTTIN\nTTOU\nURG\nXCPU\nXFSZ\nVTALRM\nPROF\nWINCH\nIO\n"
	"PWR\nSYS\n";

struct options opt;

/* A name with or without SIG, or a number; RTMIN, 34 as everywhere, +N. -1 if none of these. */
static int read_signal(const char **at)
{
	int sig = read_number(at), sign;

	if (sig < 0) {
		begins(*at, "SIG", at);
		sig = find_word(signals, *at, at) + 1;
		if (!sig && (sig = find_word("RTMIN\nRTMAX\n", *at, at) + 1))
			sig = sig * 30 + 4;
		if (!sig)
			return -1;
		sign = **at == '+' ? 1 : **at == '-' ? -1 : 0;
		if (sign) {
			++*at;
			sig += sign * read_number(at);
		}
	}
	return sig > LAST_SIGNAL ? -1 : sig;
}

/* 500ms, 3s, 5m; a bare number is seconds. Milliseconds, or -1. */
static int read_duration(const char **at)
{
	static const int units[] = { 1, 1000, 60 * 1000 };
	int number = read_number(at), unit = **at ? find_word("ms\ns\nm\n", *at, at) : 1;

	if (unit < 0 || __builtin_mul_overflow(number, units[unit], &number))
		return -1;
	return number;
}

/* FROM:TO, entered in a table of differences. */
static int read_pair(const char **at, int (*read)(const char **), uint8_t *table, int limit)
{
	int from = read(at), to = -1;

	if (**at == ':')
		to = (++*at, read(at));
	if (from < 0 || to < 0 || from > limit || to > limit)
		return -1;
	table[from] = from ^ to;
	return 0;
}

/* UID[:GID[:GROUP...]] */
static int read_user(const char **at)
{
	int id, n = 0;

	do {
		id = read_number(at);
		if (id < 0 || n == sizeof(program.ids) / sizeof(*program.ids))
			return -1;
		program.ids[n++] = id;
	} while (**at == ':' && ++*at);
	return program.nids = n;
}

/* The first one replaces the environment that we were given. */
static int read_env(const char *variable)
{
	static LARGE char *environment[4096];
	static unsigned n;

	if (n == sizeof(environment) / sizeof(*environment) - 1)
		return -1;
	environment[n++] = (char *)variable;
	program.envp = environment;
	return 0;
}

static int read_text(const char **at, const char **field)
{
	*field = *at;
	*at = next_string(*at) - 1;
	return 0;
}

/* A negative result, or a text that isn't at its end, is a bad value. */
static int read_value(unsigned option, const char **at)
{
	void *field = (char *)&opt + rules[option].offset;
	const char *unused;
	int value;

	switch (rules[option].kind) {
	case DURATION:
		return *(int *)field = read_duration(at);
	case SIGNAL:
		value = read_signal(at);
		*(uint8_t *)field = value;
		return value - 1;
	case STATUSES:
		return read_pair(at, read_number, opt.remap, 255);
	case SIGNALS:
		return read_pair(at, read_signal, opt.rewrite, LAST_SIGNAL);
	case NUMBER:
		return *(int *)field = read_number(at);
	case ENV:
		return read_env(*at) | read_text(at, &unused);
	case USER:
		return read_user(at);
	case ACTION:
		return *(int *)field = find_word("poweroff\nreboot\nhalt\nrespawn\n", *at, at);
	default:
		return read_text(at, field);
	}
}

static _Noreturn void show_version(void)
{
	put(1, "wherry-init " VERSION "\n", sizeof("wherry-init " VERSION));
	quit(0);
}

static _Noreturn void show_help(void)
{
	put(1, help, sizeof(help) - 1);
	put(1, rows, sizeof(rows) - 1);
	quit(0);
}

/* One option, which may take the next word as its value; returns what follows. */
static char **read_option(char **argv)
{
	const char *word = *argv++, *value;
	int option = find_word(rows, word, &value);

	if (option < 0 || (*value && *value != '='))
		refuse("unknown option: ", word, 0);
	if (option >= MACHINE_ONLY && !is_machine)
		refuse("only for a machine: ", word, 0);
	if (rules[option].kind <= FLAG) {
		if (*value)
			refuse("bad value: ", word, 0);
		if (rules[option].kind == HELP)
			show_help();
		if (rules[option].kind == VERSION_)
			show_version();
		((bool *)&opt)[rules[option].offset] = true;
		return argv;
	}
	if (*value)
		value++;
	else
		value = *argv++;
	if (!value || !*value)
		refuse("needs a value: ", word, 0);
	if (read_value(option, &value) < 0 || *value)
		refuse("bad value: ", word, 0);
	return argv;
}

char **options_read(char **argv)
{
	while (*argv && **argv == '-') {
		if ((*argv)[1] == '-' && !(*argv)[2])
			return argv + 1;
		argv = read_option(argv);
	}
	return argv;
}

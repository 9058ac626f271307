/* What the parts of init know of each other. */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include "init/report.h"
#include "init/sys.h"

enum { EXIT_USAGE = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };
enum action { POWEROFF, REBOOT, HALT, RESPAWN };

/*
 * For what is large and seldom used: behind everything else, so that all that is used is
 * in one page, which is all that becomes resident. The linker sorts by name.
 */
#define LARGE __attribute__((section(".bss.zlarge")))
#define LARGE_FIRST __attribute__((section(".bss.zfirst"))) /* of these: its beginning is used */

/* What the command line asks for; zero is the default. */
struct options {
	bool group;               /* signals go to the program's process group */
	bool subreaper;           /* orphans come to us although we are not PID 1 */
	uint8_t stop_signal;
	uint8_t pdeathsig;        /* 0: none */
	int report_fd;            /* 0: none, since that is the program's own */
	int grace;                /* milliseconds from TERM to KILL */
	int on_exit;              /* enum action */
	const char *oom_score_adj;/* the program's own, as /proc spells it */
	const char *cwd;
	const char *modules;      /* a file that lists kernel modules */
	const char *watchdog;
	const char *exit_to;      /* where else the exit status goes */
	uint8_t remap[256];       /* exit status XOR what becomes of it */
	uint8_t rewrite[LAST_SIGNAL + 1]; /* signal XOR what becomes of it */
};
extern struct options opt;

/* The program. */
struct program {
	char **argv;              /* argv[-1] may be written to */
	char **envp;
	int ids[64];              /* user, group, supplementary groups */
	unsigned nids;            /* 0: it runs as we do */
	sigbits mask;             /* the mask that init was given */
	struct disposition chld;  /* what init was given for SIGCHLD */
	int pid;                  /* 0: not running */
	int status;               /* how it ended, as an exit status */
};
extern struct program program;

extern bool is_pid1;
extern bool is_machine; /* PID 1 of the initial PID namespace: the machine is ours */

/* init.c */
int run(void);                   /* the program, from start to end; its exit status */
_Noreturn void refuse(const char *what, const char *name, int error); /* says so, and quits */
_Noreturn void quit(int status); /* without one: ends init, or powers the machine off */

/* text.c: at most END - AT bytes are appended, the terminating NUL not counted; returns the new end */
char *append(char *at, const char *end, const char *text);
char *append_number(char *at, const char *end, unsigned number);
/* Behind the NUL that ends STRING. */
const char *next_string(const char *string);
/* Behind what ends WORD: NUL or a newline. */
const char *next_word(const char *word);
/* Digits at *AT, or -1; *AT moves behind them. */
int read_number(const char **at);
/* Whether WORD begins with NAME, which a space, a newline or NUL ends; then *END is what follows in WORD. */
bool begins(const char *word, const char *name, const char **end);
/* Which of LINES, none of which begins with another, WORD begins with, or -1; *END as above. */
int find_word(const char *lines, const char *word, const char **end);
/* "wherry-init: WHAT" and NAME on standard error, then what ERROR means unless it is 0. */
void say(const char *what, const char *name, int error);
/* As write(2), but a reader that is gone sends no SIGPIPE that could be taken for one to forward. */
void put(int fd, const void *data, size_t size);

/* options.c: the first word that is no option; does not return from an error. */
char **options_read(char **argv);

/* signals.c */
void signals_take(void); /* blocks them all; keeps for the program what was there before */
/* The next signal of SET, or -EAGAIN after MS milliseconds; a negative MS waits for ever. */
int signals_next(sigbits set, siginfo_t *info, int ms);
void signals_forward(int sig, const siginfo_t *info);
long long now(void); /* milliseconds of the monotonic clock */

/* spawn.c: starts the program; 0, or the exit status of not having done so. */
int program_start(void);
/* exec.c: as execvpe(3) of program.argv; returns -errno. */
int program_exec(void);

/* terminal.c */
void terminal_prepare(void);        /* before the program is started */
void terminal_enter(void);          /* in the child */
void terminal_started(void);        /* in us, when it runs */
void terminal_stopped(int sig);     /* the program has, by SIG */
bool terminal_continued(void);      /* true: the program's whole group goes on */
void terminal_leave(void);          /* the program has ended */

/* drain.c */
void drain_begin(void);             /* tells what is left to end; the program itself gets the stop signal */
void end_process(int pid, int sig); /* or -1; goes on if stopped, to be able to act */
bool drain_over(bool children);     /* the program has ended, and what was to be waited for is gone */
int drain_due(void);                /* milliseconds until drain_step, or -1 */
void drain_step(void);              /* to be called now and then: does what is due */
bool drain_is_killing(void);
void drain_reset(void);             /* for the next program */

void report(enum report_kind kind, int value);

#endif

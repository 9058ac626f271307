/* The second life: PID 1 of a machine, from an empty root to power-off. */
#ifndef INIT_MACHINE_H
#define INIT_MACHINE_H

#include "init/init.h"

/* machine.c: the order of things */
bool machine_is_ours(void);      /* PID 1 of the initial PID namespace; then Ctrl-Alt-Del is SIGINT */
void machine_start(void);        /* before the command line is read */
_Noreturn void machine_run(void);/* after that: the program, until the end of the machine */
bool machine_handle(int sig);    /* a signal that takes the machine down: true, and it is under way */
_Noreturn void machine_down(int status, enum action);
/* Sleeps; a second Ctrl-Alt-Del ends it, and the machine at once. */
void machine_pause(int ms);
_Noreturn void machine_reboot(enum action);

/* mounts.c */
void mounts_make(void);          /* does not return from a failure */
void mounts_undo(void);

/* console.c */
void console_find(void);         /* gives init /dev/console, if it has none */
void console_enter(void);        /* in the program's process: a session with the tty behind it */

/* record.c: the program, where the command line has none; false where there is no record */
char **record_read(void);

/* modules.c */
void modules_load(const char *list);

/* watchdog.c */
void watchdog_open(const char *device);
int watchdog_due(void);
void watchdog_feed(void);
void watchdog_close(void);       /* a clean end: it stops */

/* exit.c: tells whoever runs the machine */
void exit_tell(int status);

/* The whole of a file into TEXT, ended by NUL; its size, or -errno, E2BIG where it doesn't fit. */
long read_file(const char *path, char *text, long size);

#endif

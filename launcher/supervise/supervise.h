/* The wait for a container's end: reports in, signals through. */
#ifndef LAUNCHER_SUPERVISE_SUPERVISE_H
#define LAUNCHER_SUPERVISE_SUPERVISE_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "init/report.h"
#include "launcher/supervise/terminal.h"

/* How a container ended. */
struct outcome {
	enum report_kind kind; /* the program's last report; 0, STARTED: init ended without one */
	int value;             /* its value */
	int records;           /* as many have been taken */
	int status;            /* init's own, of waitpid(2) */
	struct rusage usage;   /* init's, with all that it reaped */
};

/* A process of wherry's that makes what the init waits for. */
struct aside_process {
	pid_t pid; /* 0: there is none */
	int socket; /* its other end says why it failed, and is closed by its end; -1: there is none */
};

/* What is waited for, and between whom. */
struct supervision {
	pid_t init;
	int init_pidfd; /* readable when it is gone */
	int go_socket;  /* its other end is closed by the init's exec: what comes there is the launcher's child's */
	int report;     /* its other end is the init's; it can be opened by nobody, a socket */
	struct aside_process *aside;
	struct terminal *terminal; /* where there is none: TERMINAL_NONE */
	bool input; /* standard input is the program's: a terminal, perhaps, whose jobs take turns */
	int *front;       /* the socket of launcher/supervise/front.h; NULL or -1: we have the caller's terminal ourselves */
	const char *name; /* the container's */
};

/*
 * Waits until the program runs. A signal that asks for the end ends the start; all others wait meanwhile: they belong
 * to the program. Returns 0, also where its first process is gone already, or has become the program without a
 * report; -1 with a failure: its own, or 128 and the signal's number.
 */
int supervise_start(const struct supervision *, struct outcome *);

/*
 * Passes on signals and the terminal's bytes until init is gone. Until it is reaped its number is nobody
 * else's. Return 0, or -1 with a failure.
 */
int supervise_wait(const struct supervision *, struct outcome *);
int supervise_reap(const struct supervision *, struct outcome *);

/* Before the init's exec, or in a process aside: tells the recorded failure through SOCKET. */
void supervise_fail(int socket);

#endif

/*
 * What crosses from inside the container to outside: records on one socket.
 *
 * The launcher gives the container's first process one end of a socket; init finds
 * it as `--report-fd N` (a pipe would do for it: sizeof(struct report) is below
 * PIPE_BUF). Every record is one write, read in one piece (unix(7), SOCK_SEQPACKET).
 * In order: STARTED or NOT_RUN; any number of STOPPED; then EXITED or KILLED. End of
 * file without a last record means that init itself was killed.
 */
#ifndef INIT_REPORT_H
#define INIT_REPORT_H

#include <stdint.h>

enum report_kind {
	REPORT_FAILED = 1, /* never init's: the launcher's child gave up before it, and says so elsewhere */
	REPORT_NOT_RUN,    /* the program could not be executed; value: errno of execve(2) */
	REPORT_STARTED,    /* the program runs: its execve(2) has succeeded; value: its pid as init sees it */
	REPORT_STOPPED,    /* job control stopped the program; value: the signal */
	REPORT_EXITED,     /* value: exit status, before --remap */
	REPORT_KILLED,     /* value: the signal */
	REPORT_DUMPED,     /* as KILLED, with a core dump */
};

struct report {
	uint32_t kind; /* enum report_kind */
	int32_t value;
};

#endif

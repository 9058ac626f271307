/* Why a program that is there could not be executed. */
#ifndef LAUNCHER_CONTAINER_REASON_H
#define LAUNCHER_CONTAINER_REASON_H

#include <sys/types.h>

#include "launcher/spec/spec.h"

/* Each a line's text, or "". */
struct reason {
	char text[512];
	char hint[256];
};

/*
 * Looks for the program, and for what it needs to begin, as the container's init finds them: INIT still waits there,
 * having reported ERROR, the errno of execve(2). Where nothing is found *REASON stays as it is. The files are a
 * stranger's: a block of each is read.
 */
void reason_find(struct reason *, const struct spec *, pid_t init, int error);

#endif

/* A container's life, from the spec to the exit status. */
#ifndef LAUNCHER_CONTAINER_H
#define LAUNCHER_CONTAINER_H

#include "launcher/spec.h"

/*
 * Makes the container, runs its program, and undoes what was made outside. Returns the program's exit
 * status as wherry gives it (docker-run(1): its own, 128+signal, 126, 127), or -1 with a failure.
 */
int container_run(const struct spec *);

#endif

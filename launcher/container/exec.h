/* The container's first process, all done, becomes its init. */
#ifndef LAUNCHER_CONTAINER_EXEC_H
#define LAUNCHER_CONTAINER_EXEC_H

#include "launcher/container/inside.h"
#include "launcher/rights/user.h"

/*
 * The parent's death is ours from here on, until setuid(2) or its kin forgets it (prctl(2)). REPORT
 * is the pipe that the parent reads. Returns 0, or -1 with a failure.
 */
int become_tied(int report);

/* Executes the init, or with --no-init the program. Returns -1 with a failure where that fails. */
int become_init(const struct inside *, const struct spec *, const struct user *);

#endif

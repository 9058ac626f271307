/* Several layers at a time, each extracted by a process of its own and its decoder. */
#ifndef ROOTFS_LOAD_WORKERS_H
#define ROOTFS_LOAD_WORKERS_H

#include "rootfs/load/jobs.h"

/* Does all COUNT of them. Returns 0; -1 with the first failure. */
int workers_run(const struct work *, struct job *jobs, int count, int quiet);

#endif

/* --blkio-weight: a share of a disk's time, which is the disk's scheduler's to give. */
#ifndef LAUNCHER_CGROUP_WEIGHT_H
#define LAUNCHER_CGROUP_WEIGHT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Sets it in the cgroup at DIR. WEIGHT: 10 to 1000. Returns 0; -1 with a failure, also where the kernel
 * would take the number and nothing would heed it.
 */
int cgroup_weight_set(int dir, bool unified, int64_t weight);

#endif

/* Shares of what many want: --cpu-shares on v2, and --blkio-weight. */
#ifndef LAUNCHER_CGROUP_WEIGHT_H
#define LAUNCHER_CGROUP_WEIGHT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * 2 … 262144 shares, of which others have 1024, as a weight of 1 … 10000, of which others have 100: the
 * curve through these three points on which runc agreed with crun (runc 1.3.2, crun 1.23).
 */
int64_t cgroup_weight_of(int64_t shares);

/*
 * A share of a disk's time is the disk's scheduler's to give. Sets it in the cgroup at DIR. WEIGHT: 10 to 1000. Returns 0; -1 with a failure, also where the kernel
 * would take the number and nothing would heed it.
 */
int cgroup_weight_set(int dir, bool unified, int64_t weight);

#endif

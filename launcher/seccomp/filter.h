/* From a policy to the program that the kernel runs at every system call. */
#ifndef LAUNCHER_SECCOMP_FILTER_H
#define LAUNCHER_SECCOMP_FILTER_H

#include <linux/filter.h>

#include "launcher/seccomp/policy.h"

/* Returns the program, the caller's to free, and its length; NULL: no memory, or over BPF_MAXINSNS. */
struct sock_filter *seccomp_compile(const struct seccomp_policy *, unsigned short *length);

#endif

/* docker's and OCI's files of seccomp rules. */
#ifndef LAUNCHER_SECCOMP_PROFILE_H
#define LAUNCHER_SECCOMP_PROFILE_H

#include "launcher/seccomp/policy.h"

/*
 * Reads the profile in FILE for a program that may have CAPS. *FLAGS becomes its SECCOMP_FILTER_FLAG_….
 * Returns -1 with a failure; the policy is to be closed all the same.
 */
int seccomp_profile_read(struct seccomp_policy *, unsigned *flags, const char *file, uint64_t caps);

#endif

/* docker's rules, read from docker.rules, as a filter of libseccomp's. */
#ifndef TESTS_SECCOMP_DOCKER_H
#define TESTS_SECCOMP_DOCKER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

struct docker_filter {
	struct sock_filter code[8192];
	unsigned length;
};

/*
 * The rules in PATH for a program with CAPS on MACHINE ("amd64"), for the ABIS alone (SCMP_ARCH_…, 0 at the
 * end), with libseccomp's binary tree (2) or its list (1). Ends the process where something is wrong.
 */
void docker_compile(struct docker_filter *, const char *path, const char *machine,
		    const uint32_t *abis, uint64_t caps, int optimize);

/* Whether a rule without conditions on arguments lets a program with CAPS make the call NAME. */
bool docker_allows(const char *path, const char *machine, uint64_t caps, const char *name);

#endif

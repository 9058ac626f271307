/* Which devices a container has, and which it may open. */
#ifndef LAUNCHER_SPEC_DEVICES_H
#define LAUNCHER_SPEC_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rootfs/base/words.h"

struct ids;

/* The letters of devices.allow (cgroup v1's devices.rst), with the values of linux/bpf.h. */
enum { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4, DEVICE_ALL = 7 };

struct device_rule {
	char type;            /* 'b', 'c', or 'a' for both */
	int64_t major, minor; /* -1: any */
	unsigned access;      /* DEVICE_… */
};

/* A node that the container is given, as the host has it. */
struct device {
	const char *source, *target; /* absolute */
	mode_t mode;                 /* with its type */
	dev_t number;
	uid_t uid;
	gid_t gid;
};

struct devices {
	struct device *nodes;
	size_t node_count;
	struct device_rule *rules; /* none: nothing is forbidden */
	size_t rule_count;
	const char *wanted_by; /* the option that means nothing unless the rules hold; NULL: none */
};

/*
 * From the words of --device and --device-cgroup-rule: docker's default, and these. ALL_OF_THEM, with
 * --privileged: every device that the host has, and no rules. Returns 0, or -1 with a failure.
 */
int devices_build(struct devices *, const struct strings *nodes, const struct strings *rules);
int devices_build_all(struct devices *, const struct strings *nodes);

/* The rule that forbids nothing. Returns 0, or -1 with a failure. */
int devices_allow_all(struct devices *);

/*
 * Makes the nodes below ROOT, a directory's descriptor, while the host's root is still the root. In a user
 * namespace, where nobody makes any, those of STAGED take their place, or, where it is NULL or has none, the
 * host's, which belong to nobody there.
 */
int devices_make(int root, const struct devices *, const char *staged);

/*
 * For a container with IDS: its nodes, with its own owners, at STAGED/0, STAGED/1 …, a directory that is made;
 * by the machine's root, on a file system of its.
 */
int devices_stage(const char *staged, const struct devices *, const struct ids *);

/*
 * Makes the cgroup at DIR, of v1's devices controller or of v2, refuse what the rules don't allow: v1
 * for a moment everything.
 * Returns 1; 0 where the kernel or wherry's own rights don't allow to hold anybody; -1 with a failure.
 */
int devices_hold_v1(int dir, const struct devices *);
int devices_hold_v2(int dir, const struct devices *);

#endif

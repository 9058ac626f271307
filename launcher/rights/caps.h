/* Capabilities, as sets of bits by the numbers of linux/capability.h. */
#ifndef LAUNCHER_RIGHTS_CAPS_H
#define LAUNCHER_RIGHTS_CAPS_H

#include <stdint.h>

#include "rootfs/base/words.h"

/* docker's default, without the one that makes device nodes. */
extern const uint64_t caps_default;

/* That one: safe where the device cgroup says which nodes can be opened, and there alone. */
extern const uint64_t caps_default_if_held;

/*
 * BASE with the --cap-drop words dropped and the --cap-add words added, as docker-run(1) does: ALL in
 * either list is every capability, and the other list then names the exceptions; of two ALL the added one counts.
 * Names with or without CAP_, in either case. Returns 0, or -1 with a failure.
 */
int caps_parse(uint64_t *caps, uint64_t base, const struct strings *add, const struct strings *drop);

/* The capability's number; -1: there is none of that name, which may lack its CAP_. */
int caps_find(const char *name);

/* Every capability that the calling process has to give (its permitted set). */
uint64_t caps_all(void);

/* Names in the recorded failure's hint the capabilities whose lack may be its cause: root need not have all. */
void caps_explain(void);

/* Before the user is changed: nothing that the program executes can have more than KEEP. */
int caps_bound(uint64_t keep);

/* What opens a file whose mode says no. */
extern const uint64_t caps_to_read;

/*
 * After it: what is left is KEEP for root; for others the kernel has cleared all. UNUSED are out of effect until
 * the next execve(2), which brings them back for root (capabilities(7)).
 */
int caps_set(uint64_t keep, uint64_t unused);

#endif

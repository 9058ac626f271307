/* Capabilities. */
#ifndef LAUNCHER_CAPS_H
#define LAUNCHER_CAPS_H

#include <stdint.h>

/* docker's default, without the one that makes device nodes: bits as in linux/capability.h. */
extern const uint64_t caps_default;

/* Before the user is changed: nothing that the program executes can have more than KEEP. */
int caps_bound(uint64_t keep);

/* After it: what is left is KEEP for root; for others the kernel has cleared all. */
int caps_set(uint64_t keep);

#endif

/* What -v, --tmpfs and --mount share. */
#ifndef LAUNCHER_SPEC_MOUNTS_H
#define LAUNCHER_SPEC_MOUNTS_H

#include <stdbool.h>

#include "launcher/spec/spec.h"

/*
 * One more mount, on TARGET, else all zero. NULL with a failure that names OPTION: TARGET has to be absolute, not the
 * root itself, and without a component that would climb.
 */
struct mount *spec_mounts_add(struct spec *, const char *option, const char *target);

/* Returns whether WORD is a propagation, and then sets it. */
bool spec_mounts_propagation(struct mount *, const char *word);

/* docker-run(1): how soon a virtual machine around docker passes changes on. There is none here. */
bool spec_mounts_is_consistency(const char *word);

/* --mount WHOLE. Returns 0, or -1 with a failure. */
int spec_mounts_words(struct spec *, const char *whole);

#endif

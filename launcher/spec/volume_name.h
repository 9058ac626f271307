/* Which words are names of volumes, and which are paths. */
#ifndef LAUNCHER_SPEC_VOLUME_NAME_H
#define LAUNCHER_SPEC_VOLUME_NAME_H

#include <stdbool.h>

/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 255, as docker-volume-create(1) has it. */
bool volumes_is_name(const char *);

#endif

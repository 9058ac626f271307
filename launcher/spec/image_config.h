/* What an image's config says about running it (OCI image-spec, config.md). */
#ifndef LAUNCHER_SPEC_IMAGE_CONFIG_H
#define LAUNCHER_SPEC_IMAGE_CONFIG_H

#include <stddef.h>

/* Every list is NULL-terminated, or NULL where the config has none; every string may be NULL. */
struct image_config {
	char **env, **entrypoint, **cmd;
	char **volumes; /* the keys of Volumes */
	char *working_dir, *user, *stop_signal;
};

/* Parses JSON of LENGTH bytes; the strings are copies that last as long as the process. */
int image_config_parse(const char *json, size_t length, struct image_config *);

#endif

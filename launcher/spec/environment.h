/* A program's environment, put together from an image, files and the command line. */
#ifndef LAUNCHER_SPEC_ENVIRONMENT_H
#define LAUNCHER_SPEC_ENVIRONMENT_H

#include <stddef.h>

/* Zero is empty. AT is NULL-terminated once there is something in it; the strings are borrowed. */
struct environment {
	char **at;
	size_t count;
};

/* Sets "NAME=VALUE", in the place of an earlier one of that name. */
int environment_put(struct environment *, char *assignment);

/* "NAME=VALUE" sets it; "NAME" takes it over from wherry's own environment, if it is there. */
int environment_add(struct environment *, const char *word);

/* NAME=VALUE or NAME on each line of the file; "#" begins a comment line. As docker-run(1) has it. */
int environment_add_file(struct environment *, const char *path);

/* The value of NAME, or NULL. */
const char *environment_get(const struct environment *, const char *name);

#endif

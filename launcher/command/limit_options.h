/* Setters for the options that limit a container; spec/limits.c has the range of each. */
#ifndef LAUNCHER_COMMAND_LIMIT_OPTIONS_H
#define LAUNCHER_COMMAND_LIMIT_OPTIONS_H

#include "launcher/command/options.h"

/* Each returns 0, or -1 with a failure that names the option. */
int option_cpus(const struct option *, void *field, const char *value);    /* int64_t, of struct limits */
int option_limit(const struct option *, void *field, const char *value);   /* int64_t; a number */
int option_swap(const struct option *, void *field, const char *value);    /* int64_t; -1 or a size */
int option_swappiness(const struct option *, void *field, const char *value); /* const char * */
int option_cpuset(const struct option *, void *field, const char *value);  /* const char * */
int option_rate(const struct option *, void *field, const char *value);    /* struct rates */

#endif

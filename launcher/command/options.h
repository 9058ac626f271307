/* Command lines: a command is a row, an option is a row, and the help is printed from both. */
#ifndef LAUNCHER_COMMAND_OPTIONS_H
#define LAUNCHER_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "rootfs/base/words.h"

struct store;

struct option {
	const char *name;     /* without the dashes */
	char letter;          /* 0: none */
	const char *argument; /* its name in the help; NULL: a flag */
	const char *help;
	size_t offset; /* of the field in the target */
	/* Stores VALUE (NULL for a flag) in FIELD. Returns -1 with a failure that names the option. */
	int (*set)(const struct option *, void *field, const char *value);
};

/*
 * An option of the tool whose command line this one follows. It is in no help: it does nothing, and is taken
 * where it asks for what is so anyway.
 */
struct foreign {
	const char *name;
	char letter;         /* 0: none */
	bool argument;       /* without one it is a flag, true or false */
	const char *taken;   /* such values, a space between; "*": any; NULL: none */
	const char *instead; /* a line on what there is, where the value is another one */
	const char *same_as; /* the option that it is another name of; then it has nothing else */
};

/* What every command is given beside its own words. */
struct globals {
	const char *root;  /* the store */
	const char *state; /* what runs now */
};

struct command {
	const char *name;
	const char *operands;         /* as the help shows them: "IMAGE [COMMAND [ARG…]]" */
	const char *summary;          /* one line */
	const struct option *options; /* ends with a row without a name */
	int least, most;              /* how many operands; most < 0: any number */
	bool program;                 /* the options end at the first operand: what follows is a program's */
	size_t words;                 /* bytes of the struct that the options fill */
	/*
	 * One of the two. WORDS is that struct, zero but for what was given; the store is open for reading. Each
	 * returns the exit status, or -1 with a failure.
	 */
	int (*run)(const struct globals *, void *words, char **operands);
	int (*in_store)(struct store *, void *words, char **operands);
	const struct foreign *foreign; /* ends with a row without a name; NULL: none */
};

enum options_result { OPTIONS_HELPED = 1 };

/*
 * Parses ARGV[1…] of COMMAND into TARGET and leaves the operands at *OPERANDS, NULL-terminated, in
 * ARGV's own memory (its order changes). Accepts --name VALUE, --name=VALUE, -n VALUE, -nVALUE,
 * grouped flags, and -- as the end of the options.
 * Returns 0; OPTIONS_HELPED where --help was given and printed; -1 with a failure.
 */
int options_parse(const struct command *, void *target, int argc, char **argv, char ***operands);

/* Setters for rows. Sizes are bytes, with K, M, G or T behind (powers of 1024), as docker-run(1) has them. */
int option_flag(const struct option *, void *field, const char *value);   /* bool */
int option_string(const struct option *, void *field, const char *value); /* const char * */
int option_strings(const struct option *, void *field, const char *value); /* struct strings */
int option_size(const struct option *, void *field, const char *value);   /* int64_t, >= 0 */
int option_number(const struct option *, void *field, const char *value); /* int64_t, whole */

#endif

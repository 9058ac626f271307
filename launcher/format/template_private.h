/* What the files of the template language share. */
#ifndef LAUNCHER_FORMAT_TEMPLATE_PRIVATE_H
#define LAUNCHER_FORMAT_TEMPLATE_PRIVATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { TEMPLATE_VARIABLES = 16, TEMPLATE_ARGUMENTS = 16, TEMPLATE_LEVELS = 64 };

struct value {
	json_t *json;      /* borrowed: of the document or of the pool; NULL: Go's "no value" */
	const char *field; /* by which it was reached: Go knows its type, JSON doesn't; "": none */
};

struct variable {
	const char *name; /* in the template's text, behind the $ */
	size_t length;
	struct value value;
};

/* A template that is being read, and executed where what is read is LIVE: an else that isn't taken is only read. */
struct template {
	const char *at;
	struct value root;
	json_t *pool; /* an array of all values that were made on the way */
	FILE *out;
	struct variable variables[TEMPLATE_VARIABLES];
	int variable_count, level;
};

/* The pool takes JSON over. */
struct value template_keep(struct template *, json_t *json);

/* A pipeline up to what ends it: "}}", or ")" where it is in parentheses. Returns 0, or -1 with a failure. */
int template_pipeline(struct template *, struct value dot, bool live, struct value *);
void template_spaces(struct template *);
size_t template_word(const char *at); /* the length of the name that stands there; 0: none */
struct variable *template_variable(struct template *, const char *name, size_t length);

/* Whether an object or a list with that field is a map, or a list, in Go: null and what is missing differ. */
bool template_is_map(const char *field);
bool template_is_list(const char *field);
bool template_true(struct value);

struct function {
	const char *name;
	int least, most;
	int (*call)(struct template *, const struct value *, int count, struct value *result);
};

/* NULL: there is none. */
const struct function *template_function(const char *name, size_t length);

/* As Go's %v shows it. */
void value_write(FILE *, struct value);
/* The same in memory that is the caller's; NULL: there is none. */
char *value_text(struct value);
/* Go's fmt.Sprintf; the caller's. NULL with a failure. */
char *value_printf(const char *format, const struct value *, int count);

#endif

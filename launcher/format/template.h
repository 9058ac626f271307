/*
 * Go's text/template, as far as scripts write it behind --format, over JSON documents: {{.A.B}}, pipes and
 * calls ({{json .}}, {{index .Labels "k"}}), if, with and range with else, variables, {{- -}}. The functions are
 * those that docker has. define, template and block are not there.
 */
#ifndef LAUNCHER_FORMAT_TEMPLATE_H
#define LAUNCHER_FORMAT_TEMPLATE_H

#include <jansson.h>
#include <stdio.h>

/* Looks at TEXT without a document. Returns 0, or -1 with a failure that says what is wrong with it. */
int template_check(const char *text);

/* Writes TEXT for DOCUMENT to OUT, all or nothing. Returns 0, or -1 with a failure: a field that is not there is one. */
int template_write(FILE *out, const char *text, const json_t *document);

#endif

/* Lists for people and scripts: a document a row, a template for all of them. */
#ifndef LAUNCHER_FORMAT_LIST_H
#define LAUNCHER_FORMAT_LIST_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Prints each of DOCUMENTS as FORMAT says: "json": all as one array; "table TEMPLATE": in columns, where the
 * template has "\t", under headings; else a line each. TITLES, "FIELD=TITLE,…", are the headings, and name
 * every field that a document may have. Returns 0, or -1 with a failure.
 */
int list_print(const char *format, const json_t *documents, const char *titles, bool headings);

/* "\t" and "\n", as shells hand them over, become what they mean; the caller's. NULL: there is no memory. */
char *format_unescape(const char *format);

/* Prints JSON as docker does, four spaces a level. Returns 0, or -1 with a failure. */
int json_print(const json_t *);

#endif

/* Text in columns. */
#ifndef LAUNCHER_FORMAT_TABLE_H
#define LAUNCHER_FORMAT_TABLE_H

/*
 * Prints TEXT, lines of cells with tabs between, in columns. On a terminal a line is a line: the widest cells
 * are shortened until all fit; elsewhere nothing is. Changes TEXT. Returns 0, or -1 with a failure.
 */
int table_print(char *text);

#endif

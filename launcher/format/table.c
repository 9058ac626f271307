#include "launcher/format/table.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/base/screen.h"

enum { COLUMNS = 24, GAP = 2, LEAST = 8 };

/* The cell behind AT, whose end becomes a NUL; NULL: the line has no more. *LAST: it was the line's last. */
static char *next_cell(char **at, bool *last)
{
	char *cell = *at, *end = cell + strcspn(cell, "\t\n");
	*last = *end != '\t';
	*at = end + (*end != '\0');
	*end = '\0';
	return cell;
}

/* What each column needs, in the text as it was. Returns how many columns there are. */
static int measure(const char *text, size_t *widths)
{
	int columns = 1, column = 0;
	for (size_t width = 0; *text; text++) {
		bool ends = *text == '\t' || *text == '\n';
		width += !ends && (*text & 0xc0) != 0x80;
		if (ends && width > widths[column])
			widths[column] = width;
		if (!ends)
			continue;
		column = *text == '\n' ? 0 : column + (column < COLUMNS - 1);
		if (column >= columns)
			columns = column + 1;
		width = 0;
	}
	return columns;
}

/* The widest columns give until all fit into SCREEN. */
static void shorten(size_t *widths, int columns, size_t screen)
{
	for (;;) {
		size_t whole = (size_t)GAP * (columns - 1);
		int widest = 0;
		for (int i = 0; i < columns; i++) {
			whole += widths[i];
			if (widths[i] > widths[widest])
				widest = i;
		}
		if (whole <= screen || widths[widest] <= LEAST)
			return;
		widths[widest]--;
	}
}

/* ROOM: columns that are left on the screen. */
static void print_cell(const char *cell, size_t width, bool last, size_t *room)
{
	size_t whole = screen_columns(cell), shown = whole < width ? whole : width;
	if (shown > *room)
		shown = *room;
	if (shown == 0 && whole)
		return;
	if (shown < whole)
		printf("%.*s…", (int)screen_bytes(cell, shown - 1), cell);
	else
		fputs(cell, stdout);
	*room -= shown;
	size_t gap = last ? 0 : width - shown + GAP;
	gap = gap < *room ? gap : *room;
	printf("%*s", (int)gap, "");
	*room -= gap;
}

int table_print(char *text)
{
	size_t widths[COLUMNS] = { 0 };
	int screen = screen_width(STDOUT_FILENO), columns = measure(text, widths);
	if (screen)
		shorten(widths, columns, screen);
	while (*text) {
		bool last = false;
		size_t room = screen ? (size_t)screen : (size_t)-1;
		for (int column = 0; !last; column += column < COLUMNS - 1) {
			char *cell = next_cell(&text, &last);
			print_cell(cell, widths[column], last, &room);
		}
		putchar('\n');
	}
	return 0;
}

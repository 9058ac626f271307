/* Keys that leave a container's terminal: --detach-keys. */
#ifndef LAUNCHER_SUPERVISE_KEYS_H
#define LAUNCHER_SUPERVISE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum { KEYS_MAX = 16 };

#define KEYS_DEFAULT "ctrl-p,ctrl-q" /* docker's */

struct keys {
	char sequence[KEYS_MAX];
	size_t count;   /* 0: nothing leaves it */
	size_t matched; /* so many of them have been typed, and are held back */
	bool complete;  /* all of them: what was typed behind is dropped */
};

/* "KEY,KEY…": each a character, or ctrl- before a letter or one of @[\]^_ Returns 0, or -1 with a failure. */
int keys_parse(struct keys *, const char *text);

/*
 * What the program gets of the SIZE bytes FROM, to TO, which has room for KEYS_MAX more and may begin
 * KEYS_MAX before FROM. As in docker the first of the keys waits for what comes next, and reaches the
 * program with it if that isn't the second. Returns how many.
 */
size_t keys_filter(struct keys *, char *to, const char *from, size_t size);

#endif

/* The terminal that a person looks at. */
#ifndef ROOTFS_BASE_SCREEN_H
#define ROOTFS_BASE_SCREEN_H

#include <stddef.h>

/* Columns of the terminal FD, 80 where it doesn't say; 0: it is none. */
int screen_width(int fd);

/* Columns that UTF-8 TEXT takes, a character each. */
size_t screen_columns(const char *text);

/* How many bytes of TEXT take so many COLUMNS at most. */
size_t screen_bytes(const char *text, size_t columns);

#endif

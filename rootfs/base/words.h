/* Words of command lines and documents: lists of them, and what one of them says. */
#ifndef ROOTFS_BASE_WORDS_H
#define ROOTFS_BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Words in order, such as those of an option that may be repeated. The words themselves are borrowed. */
struct strings {
	const char **at;
	size_t count;
};

/* Returns 0; -1 with errno set and no failure recorded. */
int strings_add(struct strings *, const char *word);

/* As docker has them: "true", "1", "T" … and "false", "0", "F" …. Returns -1 where TEXT is neither, no failure recorded. */
int bool_parse(const char *text, bool *value);

/* Whether WORD is one of WORDS, which have a space between. */
bool words_have(const char *words, const char *word);

/* Bytes: "64M" is 64 MiB, as docker-run(1) has it. Returns -1 where TEXT is no size (no failure is recorded). */
long long size_parse(const char *text);

#endif

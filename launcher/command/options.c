#include "launcher/command/options.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/command/nearest.h"
#include "rootfs/base/err.h"

int option_flag(const struct option *option, void *field, const char *value)
{
	*(bool *)field = true;
	if (value && bool_parse(value, field) < 0)
		return failx("--%s takes true or false, not '%s'", option->name, value);
	return 0;
}

int option_string(const struct option *option, void *field, const char *value)
{
	(void)option;
	*(const char **)field = value;
	return 0;
}

int option_strings(const struct option *option, void *field, const char *value)
{
	return strings_add(field, value) < 0 ? fail("--%s", option->name) : 0;
}

int option_size(const struct option *option, void *field, const char *value)
{
	long long size = size_parse(value);
	if (size < 0) {
		failx("--%s: '%s' is not a size", option->name, value);
		return hint("a size is a number of bytes, or one with K, M, G or T behind: 64M, 1.5G");
	}
	*(int64_t *)field = size;
	return 0;
}

int option_number(const struct option *option, void *field, const char *value)
{
	char *end;
	errno = 0;
	long long n = strtoll(value, &end, 10);
	if (errno || end == value || *end)
		return failx("--%s: '%s' is not a whole number", option->name, value);
	*(int64_t *)field = n;
	return 0;
}

static void print_option(const struct option *option)
{
	char left[64];
	snprintf(left, sizeof(left), "%c%c%c --%s %s", option->letter ? '-' : ' ',
		 option->letter ? option->letter : ' ', option->letter ? ',' : ' ', option->name,
		 option->argument ? option->argument : "");
	printf("  %-28s %s\n", left, option->help);
}

static void print_help(const struct command *command)
{
	printf("Usage: wherry %s%s%s%s\n%s.\n", command->name,
	       command->options->name ? " [OPTION…]" : "", *command->operands ? " " : "",
	       command->operands, command->summary);
	if (command->options->name)
		printf("\n");
	for (const struct option *option = command->options; option->name; option++)
		print_option(option);
}

static const struct option *find_long(const struct command *command, const char *word, size_t length)
{
	for (const struct option *option = command->options; option->name; option++)
		if (strlen(option->name) == length && !memcmp(option->name, word, length))
			return option;
	return NULL;
}

static const struct option *find_letter(const struct command *command, char letter)
{
	for (const struct option *option = command->options; option->name; option++)
		if (option->letter && option->letter == letter)
			return option;
	return NULL;
}

/* By NAME or, where that is NULL, by LETTER. */
static const struct foreign *find_foreign(const struct command *command, const char *name,
					  size_t length, char letter)
{
	for (const struct foreign *row = command->foreign; row && row->name; row++)
		if (name ? strlen(row->name) == length && !memcmp(row->name, name, length)
			 : row->letter && row->letter == letter)
			return row;
	return NULL;
}

static bool is_taken(const char *taken, const char *value)
{
	return taken && (!strcmp(taken, "*") || words_have(taken, value));
}

/* WORD with its dashes. */
static int unknown(const struct command *command, const char *word, int length)
{
	struct nearest nearest = { 0 };
	failx("%s: unknown option %.*s", command->name, length, word);
	for (const struct option *option = command->options; length > 3 && option->name; option++)
		nearest_offer(&nearest, word + 2, length - 2, option->name);
	if (nearest.word)
		return hint("did you mean --%s? wherry %s --help lists the options", nearest.word, command->name);
	return hint("wherry %s --help lists the options", command->name);
}

static int apply(const struct option *option, void *target, const char *value)
{
	return option->set(option, (char *)target + option->offset, value);
}

/* The words of one command line, while they are read. */
struct words {
	char **next; /* NULL-terminated */
	/* What is not to be had, and what there is instead: all of it is said in one go. */
	char refused[600];
	int refused_count;
	const char *instead[8];
	int instead_count;
};

static void refuse(struct words *words, const struct foreign *row, const char *value)
{
	size_t used = strlen(words->refused);
	snprintf(words->refused + used, sizeof(words->refused) - used, "%s--%s%s%.100s", used ? ", " : "", row->name,
		 !value ? "" : row->argument ? " " : "=", value ? value : "");
	words->refused_count++;
	for (int i = 0; i < words->instead_count; i++)
		if (!strcmp(words->instead[i], row->instead))
			return;
	if (words->instead_count < 8)
		words->instead[words->instead_count++] = row->instead;
}

static int fail_refused(const struct command *command, const struct words *words)
{
	char instead[1400] = "";
	if (!words->refused_count)
		return 0;
	failx("%s: %s %s not to be had", command->name, words->refused, words->refused_count == 1 ? "is" : "are");
	for (int i = 0; i < words->instead_count; i++) {
		size_t used = strlen(instead);
		snprintf(instead + used, sizeof(instead) - used, "%s%s", i ? "\n" : "", words->instead[i]);
	}
	return hint("%s", instead);
}

/* An option's argument where it isn't part of its own word. */
static const char *argument(const struct option *option, struct words *words)
{
	if (*words->next)
		return *words->next++;
	failx("--%s wants an argument: %s", option->name, option->argument);
	return NULL;
}

/* VALUE is NULL where it isn't part of the option's own word. */
static int apply_foreign(const struct foreign *row, const char *value, struct words *words)
{
	if (row->argument && !value) {
		if (!*words->next)
			return failx("--%s wants an argument", row->name);
		value = *words->next++;
	}
	const char *shown = value;
	bool flag = true;
	if (!row->argument && value && bool_parse(value, &flag) < 0)
		return failx("--%s takes true or false, not '%s'", row->name, value);
	if (is_taken(row->taken, row->argument ? value : flag ? "true" : "false"))
		return 0;
	refuse(words, row, shown);
	return 0;
}

static int parse_long(const struct command *command, void *target, char *word, struct words *words)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const char *value = equals ? equals + 1 : NULL;
	const struct option *option = find_long(command, word + 2, length - 2);
	const struct foreign *foreign = option ? NULL : find_foreign(command, word + 2, length - 2, 0);
	if (foreign && !foreign->same_as)
		return apply_foreign(foreign, value, words);
	if (foreign)
		option = find_long(command, foreign->same_as, strlen(foreign->same_as));
	if (!option)
		return unknown(command, word, (int)length);
	if (option->argument && !value) {
		value = argument(option, words);
		if (!value)
			return -1;
	}
	return apply(option, target, value);
}

/* Returns 1 where its argument was the rest of the word, or the next one; 0 for a flag; -1 with a failure. */
static int parse_letter(const struct command *command, void *target, const char *letter, struct words *words)
{
	const struct option *option = find_letter(command, *letter);
	const struct foreign *foreign = option ? NULL : find_foreign(command, NULL, 0, *letter);
	if (!option && !foreign) {
		char shown[] = { '-', *letter, '\0' };
		return unknown(command, shown, 2);
	}
	bool takes = option ? option->argument != NULL : foreign->argument;
	/* pflag's "-m=64m" and "-it=true". */
	bool equals = letter[1] == '=' && letter[2];
	const char *value = equals ? letter + 2 : takes && letter[1] ? letter + 1 : NULL;
	takes |= equals;
	if (foreign)
		return apply_foreign(foreign, value, words) < 0 ? -1 : takes;
	if (takes && !value && !(value = argument(option, words)))
		return -1;
	return apply(option, target, value) < 0 ? -1 : takes;
}

static int parse_letters(const struct command *command, void *target, char *word, struct words *words)
{
	for (char *letter = word + 1; *letter; letter++) {
		int r = parse_letter(command, target, letter, words);
		if (r)
			return r < 0 ? -1 : 0;
	}
	return 0;
}

static int check_count(const struct command *command, int count)
{
	if (count >= command->least && (command->most < 0 || count <= command->most))
		return 0;
	failx("%s: %s", command->name, count < command->least ? "too few words" : "too many words");
	return hint("usage: wherry %s%s%s", command->name, *command->operands ? " " : "", command->operands);
}

int options_parse(const struct command *command, void *target, int argc, char **argv, char ***operands)
{
	struct words words = { .next = argc > 0 ? argv + 1 : argv };
	char **kept = argv; /* operands gather here: never ahead of what is read */
	*operands = argv;
	while (*words.next) {
		char *word = *words.next++;
		if (word[0] != '-' || !word[1]) {
			*kept++ = word;
			if (!command->program)
				continue;
			break;
		}
		if (!strcmp(word, "--"))
			break;
		if (!strcmp(word, "--help") || (!strcmp(word, "-h") && !find_letter(command, 'h'))) {
			print_help(command);
			return OPTIONS_HELPED;
		}
		int r = word[1] == '-' ? parse_long(command, target, word, &words)
				       : parse_letters(command, target, word, &words);
		if (r < 0)
			return -1;
	}
	while (*words.next)
		*kept++ = *words.next++;
	*kept = NULL;
	if (fail_refused(command, &words) < 0)
		return -1;
	return check_count(command, (int)(kept - argv));
}

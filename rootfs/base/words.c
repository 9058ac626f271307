#include "rootfs/base/words.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int strings_add(struct strings *list, const char *word)
{
	const char **grown = realloc(list->at, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return -1;
	grown[list->count++] = word;
	list->at = grown;
	return 0;
}

/* "" → 0, "k", "KB" and "KiB" → 10. Returns -1 for what is no unit. */
static int unit_shift(const char *unit)
{
	static const char letters[] = "bkmgt";
	const char *letter = *unit ? strchr(letters, *unit | 0x20) : letters;
	if (!letter)
		return -1;
	int shift = 10 * (int)(letter - letters);
	const char *rest = *unit ? unit + 1 : unit;
	bool whole = !*rest || (shift && (!strcasecmp(rest, "b") || !strcasecmp(rest, "ib")));
	return whole ? shift : -1;
}

/* As docker reads them (go-units): 64M, 64MiB, 1.5g, 64 m. */
long long size_parse(const char *text)
{
	static const char decimals[] = "0123456789";
	size_t digits = strspn(text, decimals), end = digits;
	if (!digits)
		return -1;
	if (text[end] == '.')
		end += 1 + strspn(text + end + 1, decimals);
	int shift = unit_shift(text + end + (text[end] == ' '));
	if (shift < 0)
		return -1;
	errno = 0;
	unsigned long long n = strtoull(text, NULL, 10);
	if (errno || n >= (unsigned long long)INT64_MAX >> shift)
		return -1;
	double part = end > digits ? strtod(text + digits, NULL) : 0;
	return (long long)(n << shift) + (long long)(part * (double)(1ULL << shift));
}

/* What Go's strconv.ParseBool takes: not "tRUE". */
int bool_parse(const char *text, bool *value)
{
	static const char *const words[][6] = {
		{ "false", "0", "f", "F", "FALSE", "False" },
		{ "true", "1", "t", "T", "TRUE", "True" },
	};
	for (int i = 0; i < 12; i++)
		if (!strcmp(text, words[i / 6][i % 6])) {
			*value = i / 6;
			return 0;
		}
	return -1;
}

bool words_have(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (size_t n; *words; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (n == length && !memcmp(words, word, n))
			return true;
	}
	return false;
}

#include "launcher/command/nearest.h"

#include <string.h>

enum { LONGEST = 31 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's: letters left out, put in or changed. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t row[LONGEST + 1];
	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t changed = corner + (a[i - 1] != b[j - 1]);
			corner = row[j];
			row[j] = least(changed, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_length];
}

void nearest_offer(struct nearest *nearest, const char *typed, size_t length, const char *word)
{
	size_t word_length = strlen(word);
	if (length > LONGEST || word_length > LONGEST)
		return;
	size_t away = distance(typed, length, word, word_length);
	if (away > 2 || away * 2 > length || (nearest->word && nearest->distance <= away))
		return;
	*nearest = (struct nearest){ word, away };
}

#include "launcher/supervise/keys.h"

#include <string.h>

#include "rootfs/base/err.h"

/* Returns the byte that a terminal sends for it, or -1. */
static int parse_key(const char *word, size_t length)
{
	static const char ctrl[] = "ctrl-", others[] = "@[\\]^_";
	if (length == 1)
		return (unsigned char)*word;
	if (length != sizeof(ctrl) || memcmp(word, ctrl, length - 1))
		return -1;
	char key = word[length - 1];
	if ((key >= 'a' && key <= 'z') || (key && strchr(others, key)))
		return key & 0x1f; /* ascii(7) */
	return -1;
}

int keys_parse(struct keys *keys, const char *text)
{
	*keys = (struct keys){ .count = 0 };
	for (const char *word = text; *text; word += strcspn(word, ",") + 1) {
		size_t length = strcspn(word, ",");
		int key = parse_key(word, length);
		if (key < 0 || keys->count == KEYS_MAX) {
			failx("--detach-keys: '%s' is not KEY,KEY…", text);
			return hint("a key is one character, or ctrl- before a letter or one of @[\\]^_; %d at most",
				    KEYS_MAX);
		}
		keys->sequence[keys->count++] = (char)key;
		if (!word[length])
			break;
	}
	return 0;
}

size_t keys_filter(struct keys *keys, char *to, const char *from, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < size; i++) {
		if (from[i] == keys->sequence[keys->matched]) {
			if (++keys->matched < keys->count)
				continue;
			keys->complete = true;
			break;
		}
		char other = from[i]; /* the held ones may come to lie on it */
		memcpy(to + n, keys->sequence, keys->matched);
		n += keys->matched;
		to[n++] = other;
		keys->matched = 0;
	}
	return n;
}

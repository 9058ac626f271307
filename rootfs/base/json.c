#include "rootfs/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "rootfs/base/err.h"

#ifndef GRND_INSECURE
#define GRND_INSECURE 4 /* linux/random.h, Linux 5.6: never waits */
#endif

/*
 * jansson's own limit is 2048 levels, and each takes stack. Strings may hold brackets: they are
 * skipped.
 */
static bool is_shallow(const char *text, size_t size)
{
	int level = 0;
	bool in_string = false;
	for (size_t i = 0; i < size; i++) {
		char c = text[i];
		if (in_string) {
			if (c == '\\')
				i++;
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++level > JSON_LEVELS)
				return false;
		} else if (c == '}' || c == ']') {
			level--;
		}
	}
	return true;
}

/*
 * Against keys that were chosen to collide. jansson would open /dev/urandom for it, which a board
 * may lack, and wait for entropy, which a board may not have yet.
 */
static void seed(void)
{
	unsigned random;
	if (getrandom(&random, sizeof(random), GRND_INSECURE) == sizeof(random))
		json_object_seed(random | 1); /* 0 would mean /dev/urandom */
}

json_t *json_read(const char *text, size_t size, const char *what)
{
	json_error_t error;
	if (size > JSON_BYTES) {
		failx("%s: it is larger than %d MiB", what, JSON_BYTES >> 20);
		return NULL;
	}
	if (!is_shallow(text, size)) {
		failx("%s: it is nested more than %d levels deep", what, JSON_LEVELS);
		return NULL;
	}
	seed();
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		failx("%s: it is no JSON: line %d: %s", what, error.line, error.text);
	return json;
}

/* U+0080 to U+009F in UTF-8, RFC 3629: 0xc2, and the character itself. */
static bool is_control(const char *at)
{
	unsigned char c = (unsigned char)at[0], next = c == 0xc2 ? (unsigned char)at[1] : 0;
	return c == 127 || (next >= 0x80 && next < 0xa0);
}

char *json_printable(const json_t *json, size_t flags)
{
	char *text = json_dumps(json, flags);
	size_t length = 1;
	for (const char *at = text; at && *at; at++)
		length += is_control(at) ? sizeof("\\u0000") : 1;
	char *printable = text ? malloc(length) : NULL, *to = printable;
	for (const char *at = text; to && *at; at++) {
		if (!is_control(at)) {
			*to++ = *at;
			continue;
		}
		at += *at != 127;
		to += sprintf(to, "\\u%04x", (unsigned char)*at);
	}
	if (to)
		*to = '\0';
	free(text);
	return printable;
}

const char *json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

json_t *json_member_array(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_array(value) ? value : NULL;
}

json_t *json_member_object(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_object(value) ? value : NULL;
}

long long json_size(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value)
									: -1;
}

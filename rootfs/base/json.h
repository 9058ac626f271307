/*
 * Documents of an image: JSON made by a stranger, bounded before it is parsed (IMAGES.md rule 4).
 */
#ifndef ROOTFS_BASE_JSON_H
#define ROOTFS_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { JSON_BYTES = 4 << 20, JSON_LEVELS = 64 };

/*
 * Parses TEXT: one document, nothing behind it. Returns NULL with a failure that begins with WHAT;
 * the caller's to json_decref.
 */
json_t *json_read(const char *text, size_t size, const char *what);

/* Members of an object; null is absent, and so is what is of another type. */
const char *json_text(const json_t *object, const char *key);
json_t *json_member_array(const json_t *object, const char *key);
json_t *json_member_object(const json_t *object, const char *key);
/* -1: absent or negative. */
long long json_size(const json_t *object, const char *key);

/*
 * As json_dumps: the caller's, NULL where memory is out. What a terminal would obey, DEL and the control characters from
 * U+0080 to U+009F, is escaped like those that JSON escapes itself.
 */
char *json_printable(const json_t *, size_t flags);

static inline void json_release(json_t **json)
{
	json_decref(*json);
}
#define scoped_json __attribute__((cleanup(json_release))) json_t

#endif

#include "rootfs/layer/path.h"

#include <stdbool.h>
#include <string.h>

#define WHITEOUT ".wh."
#define META ".wh..wh."
#define OPAQUE ".wh..wh..opq"

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Splits at slashes; "." and nothing between two slashes are no components. */
static const char *split(struct path *path, const char *name, size_t size)
{
	size_t used = 0;
	path->depth = 0;
	if (memchr(name, '\0', size))
		return "its name has a NUL in it";
	for (const char *end = name + size; name < end;) {
		const char *slash = memchr(name, '/', end - name);
		size_t length = (slash ? slash : end) - name;
		if (length > NAME_BYTES)
			return "a part of its name is longer than 255 bytes";
		if (length == 2 && !memcmp(name, "..", 2))
			return "its name leads out of the layer (..)";
		if (length && !(length == 1 && *name == '.')) {
			if (path->depth == PATH_DEPTH)
				return "it is more than 256 directories deep";
			if (used + length + 1 > sizeof(path->text))
				return "its name is longer than 4095 bytes";
			path->at[path->depth++] = used;
			memcpy(path->text + used, name, length);
			path->text[used + length] = '\0';
			used += length + 1;
		}
		name += length + 1;
	}
	path->kind = path->depth ? PATH_PLAIN : PATH_ROOT;
	return NULL;
}

/* The last component begins with ".wh.". */
static const char *take_whiteout(struct path *path)
{
	char *last = path->text + path->at[path->depth - 1];
	const char *hidden = last + strlen(WHITEOUT);
	if (!strcmp(last, OPAQUE)) {
		path->kind = PATH_OPAQUE;
		path->depth--;
		return NULL;
	}
	if (!*hidden || !strcmp(hidden, ".") || !strcmp(hidden, ".."))
		return "it is a whiteout of nothing";
	path->kind = PATH_WHITEOUT;
	memmove(last, hidden, strlen(hidden) + 1);
	return NULL;
}

const char *path_parse(struct path *path, const char *name, size_t size)
{
	const char *wrong = split(path, name, size);
	if (wrong)
		return wrong;
	for (int i = 0; i < path->depth; i++) {
		const char *component = path_component(path, i);
		bool last = i == path->depth - 1;
		if (begins(component, META) && !(last && !strcmp(component, OPAQUE))) {
			path->kind = PATH_IGNORED;
			return NULL;
		}
		if (begins(component, WHITEOUT) && !last)
			return "a whiteout is no directory";
	}
	if (path->depth && begins(path_component(path, path->depth - 1), WHITEOUT))
		return take_whiteout(path);
	return NULL;
}

const char *path_parse_target(struct path *path, const char *name, size_t size)
{
	const char *wrong = size ? split(path, name, size) : "its name is empty";
	if (wrong)
		return wrong;
	if (path->kind == PATH_ROOT)
		return "it is a directory";
	for (int i = 0; i < path->depth; i++)
		if (begins(path_component(path, i), WHITEOUT))
			return "it is a whiteout";
	return NULL;
}

void path_join(const struct path *path, int depth, char *to)
{
	*to = '\0';
	for (int i = 0; i < depth; i++) {
		if (i)
			*to++ = '/';
		to = stpcpy(to, path_component(path, i));
	}
}

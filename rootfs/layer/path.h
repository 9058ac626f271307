/* An entry's name as the archive has it, taken apart and checked (IMAGES.md rules 8 and 14). */
#ifndef ROOTFS_LAYER_PATH_H
#define ROOTFS_LAYER_PATH_H

#include <stddef.h>

enum { PATH_BYTES = 4095, PATH_DEPTH = 256, NAME_BYTES = 255 };

enum path_kind {
	PATH_ROOT,     /* the layer's root */
	PATH_PLAIN,
	PATH_WHITEOUT, /* .wh.NAME; the last component is NAME alone */
	PATH_OPAQUE,   /* .wh..wh..opq; the components are the directory's */
	PATH_IGNORED,  /* other .wh..wh.*, and what is below them: AUFS' own files */
};

struct path {
	enum path_kind kind;
	int depth;                      /* how many components */
	char text[PATH_BYTES + 1];      /* they, with a NUL behind each */
	unsigned short at[PATH_DEPTH];  /* where each begins in TEXT */
};

static inline const char *path_component(const struct path *path, int i)
{
	return path->text + path->at[i];
}

/* Returns NULL, or what is wrong with NAME. */
const char *path_parse(struct path *, const char *name, size_t size);

/* As path_parse, for a link's target: no name in it means anything but itself. */
const char *path_parse_target(struct path *, const char *name, size_t size);

/* The first DEPTH components, joined by slashes. TO has PATH_BYTES + 1 bytes. */
void path_join(const struct path *, int depth, char *to);

#endif

/*
 * A directory tree as a tar archive: pax where ustar does not do, so that a loader makes the same
 * tree again.
 */
#ifndef ROOTFS_EXPORT_PACK_H
#define ROOTFS_EXPORT_PACK_H

#include <stddef.h>
#include <stdint.h>

enum pack_kind {
	PACK_TREE,  /* as it stands */
	PACK_LAYER, /* overlayfs' whiteouts and opaque directories become those of an image's layer */
};

/* Takes the archive's bytes, in pieces. Returns 0, or -1 with a failure. */
typedef int pack_sink(void *context, const void *data, size_t size);

/*
 * Writes the tree beneath ROOT, in the order of its names. With OPAQUE_ROOT a layer says that it
 * hides all below it; ROOT_ENTRY: it has one for its root. Returns 0, or -1 with a failure.
 */
struct pack_options {
	enum pack_kind kind;
	int opaque_root, root_entry;
};
int pack_tree(int root, const struct pack_options *, pack_sink *, void *context);

/* One header of a plain file, for an archive's own members: 512 bytes into BLOCK. */
void pack_header(unsigned char *block, const char *name, uint64_t size);

#endif

/* What a layer has that can't be made here, and is gone on without (IMAGES.md rules 19 and 22). */
#ifndef ROOTFS_LAYER_LEFT_OUT_H
#define ROOTFS_LAYER_LEFT_OUT_H

#include <stdbool.h>

/* It holds no pointers: a layer's process sends it to the one that tells. */
struct left_out {
	bool devices, owners;
	char attribute[64]; /* the name of the first, cut where it is longer; "": none */
};

void left_out_attribute(struct left_out *, const char *name);
void left_out_add(struct left_out *, const struct left_out *more);
/* Warns, one line for each kind. */
void left_out_tell(const struct left_out *);

#endif

/* Extended attributes that a file of an image may have (IMAGES.md rule 19). */
#ifndef ROOTFS_ATTRIBUTES_H
#define ROOTFS_ATTRIBUTES_H

/* Gives TO, a directory, the user.* attributes of FROM. Returns 0, or -1 with errno. */
int attributes_copy(int from, int to);

#endif

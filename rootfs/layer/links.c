#include "rootfs/layer/links.h"

#include <stdint.h>
#include <stdlib.h>

/* Of 24 bytes, 20 on 32-bit machines; unused: NOTE is NULL. */
struct linked {
	dev_t device;
	ino_t inode;
	void *note;
};

/*
 * XFS has the number of an allocation group in the upper bits, others count on by large steps: every bit must
 * reach the lower ones (the mixing steps of MurmurHash3).
 */
static size_t hash(const struct linked *file)
{
	uint64_t bits = (uint64_t)file->inode + (uint64_t)file->device * 0x9e3779b97f4a7c15u;
	bits = (bits ^ bits >> 33) * 0xff51afd7ed558ccdu;
	bits = (bits ^ bits >> 33) * 0xc4ceb9fe1a85ec53u;
	return (size_t)(bits ^ bits >> 33);
}

/* Where it is, or else where it may be put: a place is free. */
static struct linked *find_place(const struct links *links, const struct linked *file)
{
	for (size_t i = hash(file);; i++) {
		struct linked *place = &links->places[i & (links->room - 1)];
		if (!place->note || (place->inode == file->inode && place->device == file->device))
			return place;
	}
}

static int grow(struct links *links)
{
	struct links grown = { .count = links->count, .room = links->room ? links->room * 2 : 64 };
	grown.places = calloc(grown.room, sizeof(*grown.places));
	if (!grown.places)
		return -1;
	for (size_t i = 0; i < links->room; i++)
		if (links->places[i].note)
			*find_place(&grown, &links->places[i]) = links->places[i];
	free(links->places);
	*links = grown;
	return 0;
}

void *links_find(const struct links *links, const struct stat *st)
{
	const struct linked file = { .device = st->st_dev, .inode = st->st_ino };
	return links->room ? find_place(links, &file)->note : NULL;
}

int links_add(struct links *links, const struct stat *st, void *note)
{
	const struct linked file = { .device = st->st_dev, .inode = st->st_ino, .note = note };
	if (links->count >= links->room / 4 * 3 && grow(links) < 0)
		return -1;
	*find_place(links, &file) = file;
	links->count++;
	return 0;
}

void links_free(struct links *links, void (*forget)(void *))
{
	for (size_t i = 0; forget && i < links->room; i++)
		if (links->places[i].note)
			forget(links->places[i].note);
	free(links->places);
	*links = (struct links){ 0 };
}

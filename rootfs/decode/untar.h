/* The tar reader, in the decoder. */
#ifndef ROOTFS_DECODE_UNTAR_H
#define ROOTFS_DECODE_UNTAR_H

#include "rootfs/decode/channel.h"
#include "rootfs/decode/inflate.h"

/*
 * A layer: entries and their data; INFLATER NULL: the stream is the input itself. Returns 0, or -1 after
 * sending RECORD_FAILED.
 */
int untar_layer(struct channel *, struct inflater *);

/* An archive, by RECORD_WANT: entries, and where their data are. Returns likewise. */
int untar_index(struct channel *);

#endif

/* What the decoder's process does, once it can do nothing else. */
#ifndef ROOTFS_DECODE_DECODER_RUN_H
#define ROOTFS_DECODE_DECODER_RUN_H

#include "rootfs/decode/decoder.h"

/* Returns 0, or -1 after sending RECORD_FAILED. */
int decoder_run(struct channel *, const struct decoder_task *);

#endif

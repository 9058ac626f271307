/* Bytes on their way from one descriptor to another, through a buffer of fixed size. */
#ifndef LAUNCHER_SUPERVISE_RELAY_H
#define LAUNCHER_SUPERVISE_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "launcher/supervise/keys.h"
#include "launcher/supervise/output.h"

enum { RELAY_BUFFER = 4096 };

struct relay {
	int from; /* borrowed; -1: at its end, or none */
	struct output to;
	size_t start, end; /* what of BYTES is still to be written */
	char *bytes;       /* RELAY_BUFFER of them; with KEYS KEYS_MAX more; borrowed */
	struct keys *keys; /* what of it leaves the terminal, and is not for TO; borrowed; NULL: none */
	bool broken;       /* a read or a write has failed as on a terminal that is gone (EIO), or FROM has ended */
};

#define RELAY_NONE { .from = -1, .to = OUTPUT_NONE }

static inline bool relay_is_empty(const struct relay *relay)
{
	return relay->start == relay->end;
}

/* What to poll(2) for. */
struct pollfd relay_wait(const struct relay *);

/* Reads, or writes what has been read, once: as poll has said. */
void relay_move(struct relay *);

/* Forgets what has been read, and reads no more. Closes TO, as output_close. May be called twice. */
void relay_close(struct relay *);

#endif

/* What stands in for the decoder of a load, and what the load makes of it. For decoder*.c. */
#ifndef TESTS_DECODER_H
#define TESTS_DECODER_H

#include "rootfs/decode/decoder_run.h"
#include "rootfs/decode/records.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/layer/layer.h"
#include "rootfs/layer/remove.h"
#include "tests/lib/tap.h"

/* One thing that a decoder does, and what the load says then. */
struct evil_case {
	const char *says;
	void (*evil)(struct channel *);
	const char *refused;
};

static void (*evil)(struct channel *);

int decoder_run(struct channel *channel, const struct decoder_task *task)
{
	(void)task;
	evil(channel);
	channel_put(channel, RECORD_END, NULL, 0);
	return 0;
}

/* A blob of several slots; gzip by its first bytes, so that output has a ring of its own. */
static int make_blob(struct layer *layer)
{
	static char noise[5 * CHANNEL_SLOT] = "\x1f\x8b";
	int file = memfd_create("blob", MFD_CLOEXEC);
	if (file < 0 || write(file, noise, sizeof(noise)) != sizeof(noise))
		return -1;
	layer->blob = (struct blob){ file, 0, sizeof(noise) };
	layer->digest = sha256_of(noise, sizeof(noise));
	layer->diff_id = sha256_of("another stream", 14);
	layer->window = DECODER_WINDOW;
	return file;
}

static bool is_empty_but_for_a(int dir)
{
	return faccessat(dir, "../wherry-evil", F_OK, 0) < 0 && access("/tmp/wherry-evil", F_OK) < 0;
}

static void try(const struct layer *layer, const char *place, const char *says, const char *wanted)
{
	struct findings found;
	mkdir(place, 0700);
	int root = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int implied = memfd_create("implied", MFD_CLOEXEC);
	failure_clear();
	int result = layer_extract(layer, &layer_limits, root, implied, NULL, &found);
	const char *said = failure_get()->text;
	bool refused = result < 0 && strstr(said, wanted) && is_empty_but_for_a(root);
	tap_ok(refused, "a decoder that is taken over %s%s%s", says, refused ? "" : ": ", refused ? "" : said);
	close(root);
	close(implied);
	tree_remove(AT_FDCWD, place);
}

static inline void try_all(const struct layer *layer, const char *place, const struct evil_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		evil = cases[i].evil;
		try(layer, place, cases[i].says, cases[i].refused);
	}
}

#endif

/*
 * A gzip decoder that gets nowhere: this program's own gunzip_step takes the place of rootfs/gunzip_*.c. What it is
 * given has an end, and so has the attempt.
 */
#include "rootfs/decode/inflate.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/decode/gunzip.h"
#include "tests/lib/tap.h"

/* How many steps of it in a row get nowhere; what the others do is take a byte and give one. */
static int idle, left;

struct gunzip *gunzip_new(void)
{
	return calloc(1, 8);
}

const char *gunzip_step(struct gunzip *gunzip, struct buffer *b, bool *ended)
{
	(void)gunzip;
	*ended = false;
	if (left-- > 0)
		return NULL;
	left = idle;
	*ended = b->in_size == 1;
	*b->out++ = *b->in++;
	b->in_size--, b->out_size--;
	return NULL;
}

/* Both ends in one process: the input fits into the channel. Returns what is said, "" where all is well. */
static const char *inflate(const char *input, size_t size, unsigned char *output, size_t room, size_t *made)
{
	static char said[512];
	struct channel parent, child;
	struct record record;
	if (channel_create(&parent) < 0)
		exit(1);
	child = parent;
	child.down = NULL;
	memcpy(channel_slot(&parent), input, size);
	channel_give(&parent, size);
	channel_end(&parent);
	struct inflater inflater = { .channel = &child, .compression = GZIP };
	*said = '\0';
	if (inflater_open(&inflater) < 0 || inflater_read(&inflater, output, room, made) < 0) {
		memset(said, 0, sizeof(said));
		if (channel_get(&parent, &record, said, sizeof(said) - 1) != 1 || record.kind != RECORD_FAILED)
			strcpy(said, "nothing");
	}
	channel_destroy(&parent);
	return said;
}

static const struct {
	const char *says;
	int idle;
	const char *said;
} cases[] = {
	{ "is left alone while each step gets on", 0, "" },
	{ "may have a step between that gets nowhere", 1, "" },
	{ "is stopped where no step gets on", 1 << 30, "gzip: it is damaged: nothing comes of it any more" },
};

int main(void)
{
	unsigned char output[64];
	const char input[] = "\x1f input";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t made = 0;
		alarm(5);
		left = idle = cases[i].idle;
		const char *said = inflate(input, sizeof(input), output, sizeof(output), &made);
		bool right = !strcmp(said, cases[i].said) && (*said || (made == sizeof(input) && !memcmp(output, input, made)));
		tap_ok(right, "a decompressor %s (%s)", cases[i].says, said);
	}
	return tap_finish();
}

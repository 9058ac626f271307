/*
 * What the decoder does, once it can do nothing else. A file of its own, so that a test can put one
 * in its place that does its worst.
 */
#include "rootfs/decode/decoder_run.h"

#include "rootfs/decode/inflate.h"
#include "rootfs/decode/untar.h"

static int run_stream(struct channel *channel, struct inflater *inflater)
{
	size_t made;
	do {
		unsigned char *room = channel_room(channel);
		if (inflater_read(inflater, room, CHANNEL_SLOT, &made) < 0)
			return -1;
		channel_made(channel, made);
	} while (made == CHANNEL_SLOT);
	return 0;
}

static int run_job(struct channel *channel, const struct decoder_task *task)
{
	struct inflater inflater = {
		.channel = channel, .compression = task->compression, .window = task->window };
	if (task->job == DECODE_INDEX)
		return untar_index(channel);
	if (inflater_open(&inflater) < 0)
		return -1;
	if (task->job == DECODE_STREAM)
		return run_stream(channel, &inflater);
	return untar_layer(channel, task->compression == PLAIN ? NULL : &inflater);
}

int decoder_run(struct channel *channel, const struct decoder_task *task)
{
	if (run_job(channel, task) < 0)
		return -1;
	channel_put(channel, RECORD_END, NULL, 0);
	return 0;
}

/* For fuzzing: the decoder as a thread in place of rootfs/decode/decoder.c's process, so that both sides are seen. */
#include "rootfs/decode/decoder_run.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/base/err.h"

static pthread_t thread;
static struct channel side; /* the thread's own cursors */
static struct decoder_task job;
static atomic_bool done;

static void *work(void *context)
{
	decoder_run(&side, &job);
	atomic_store(&done, true);
	const uint64_t one = 1;
	if (write(side.wake_parent, &one, sizeof(one)) < 0)
		abort();
	return context;
}

int decoder_start(struct decoder *decoder, const struct decoder_task *task)
{
	*decoder = (struct decoder){ .pidfd = -1 };
	if (channel_create(&decoder->channel) < 0)
		abort();
	side = decoder->channel;
	side.down = NULL;
	job = *task;
	atomic_store(&done, false);
	decoder->pid = 1;
	/* EAGAIN: the machine is busy with others' processes */
	while (pthread_create(&thread, NULL, work, NULL))
		usleep(1000);
	return 0;
}

int decoder_wait(struct decoder *decoder)
{
	struct channel *channel = &decoder->channel;
	struct pollfd fd = { channel->wake_parent, POLLIN, 0 };
	uint64_t count;
	bool ended = atomic_load(&done);
	if (!ended && poll(&fd, 1, 10000) == 0)
		abort(); /* both sleep: a wake-up was lost */
	atomic_store(&channel->down->sleeps, 0);
	if (read(channel->wake_parent, &count, sizeof(count)) < 0 && errno != EAGAIN)
		abort();
	/* It has ended before we looked, and there is nothing to be had of it any more. */
	if (ended && atomic_load(&channel->up->record_head) == channel->record_tail)
		return failx("its decoder ended too early");
	return 0;
}

void decoder_stop(struct decoder *decoder)
{
	if (!decoder->pid)
		return;
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	decoder->pid = 0;
	channel_destroy(&decoder->channel);
}

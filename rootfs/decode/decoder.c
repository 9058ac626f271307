#include "rootfs/decode/decoder.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "rootfs/base/err.h"
#include "rootfs/decode/decoder_run.h"
#include "rootfs/decode/sandbox.h"
#include "rootfs/base/scoped.h"

enum {
	DECODER_MEMORY = 48 << 20,   /* address space beside the window: program, rings, libraries */
	DECODER_SECONDS = 24 * 3600, /* a slow board takes hours for gigabytes of xz */
};

static void be_child(struct channel *channel, const struct decoder_task *task, pid_t parent)
{
	channel_be_child(channel);
	if (sandbox_enter(channel->wake_child, channel->wake_parent,
			  DECODER_MEMORY + 3 * task->window, DECODER_SECONDS, parent) < 0)
		_exit(2);
	channel->wake_child = 0;
	channel->wake_parent = 1;
	_exit(decoder_run(channel, task) < 0);
}

int decoder_start(struct decoder *decoder, const struct decoder_task *task)
{
	pid_t parent = getpid();
	*decoder = (struct decoder){ .pidfd = -1 };
	if (channel_create(&decoder->channel) < 0) {
		channel_destroy(&decoder->channel);
		return -1;
	}
	decoder->pid = fork();
	if (decoder->pid == 0)
		be_child(&decoder->channel, task, parent);
	if (decoder->pid < 0) {
		fail("start the decoder");
		decoder->pid = 0;
		decoder_stop(decoder);
		return -1;
	}
	channel_be_parent(&decoder->channel);
	/* Who only looks at headers is done with a slot before the next comes: once a round will do. */
	if (task->compression == PLAIN)
		decoder->channel.worth = CHANNEL_INPUT / 4 * 3;
	decoder->pidfd = (int)syscall(SYS_pidfd_open, decoder->pid, 0);
	return 0;
}

static int describe_end(struct decoder *decoder)
{
	int status;
	pid_t pid = decoder->pid;
	decoder->pid = 0;
	if (waitpid(pid, &status, 0) < 0)
		return fail("wait for the decoder");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return failx(
			"its decoder tried what it may not do and was killed: it may be an attack");
	if (WIFSIGNALED(status))
		return failx("its decoder was killed (signal %d, %s)", WTERMSIG(status),
			     strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) == 2) {
		failx("the decoder could not be separated from the system");
		return hint("the kernel needs CONFIG_SECCOMP_FILTER");
	}
	return failx("its decoder ended too early");
}

/* The flag goes up, the rings are looked at again, then we sleep: see channel.c. */
int decoder_wait(struct decoder *decoder)
{
	struct channel *channel = &decoder->channel;
	struct pollfd fds[2] = {
		{ channel->wake_parent, POLLIN, 0 },
		{ decoder->pidfd, POLLIN, 0 },
	};
	uint64_t count;
	if (poll(fds, 2, decoder->pidfd < 0 ? 1000 : -1) < 0 && errno != EINTR)
		return fail("wait for the decoder");
	atomic_store(&channel->down->sleeps, 0);
	if (read(channel->wake_parent, &count, sizeof(count)) == sizeof(count))
		return 0;
	return fds[1].revents ? describe_end(decoder) : 0;
}

void decoder_stop(struct decoder *decoder)
{
	if (decoder->pid > 0) {
		kill(decoder->pid, SIGKILL);
		waitpid(decoder->pid, NULL, 0);
	}
	decoder->pid = 0;
	scoped_close(&decoder->pidfd);
	decoder->pidfd = -1;
	channel_destroy(&decoder->channel);
}

/*
 * An archive that can't be read at any offset, since it is a pipe or compressed as a whole:
 * unpacked first.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/archive/archive.h"
#include "rootfs/base/err.h"
#include "rootfs/decode/decoder.h"
#include "rootfs/decode/headers.h"
#include "rootfs/archive/progress.h"
#include "rootfs/store/room.h"
#include "rootfs/base/scoped.h"

struct spool {
	const struct archive *archive;
	const struct spool_options *options;
	int to;
	struct decoder decoder;
	unsigned char *head; /* what has been read to find the compression */
	size_t head_size;
	bool fed, ended;
	uint64_t written;
	struct progress *progress;
};

/* What is no archive shall not fill the disk before anybody sees that. */
static int check_head(const struct spool *spool, const unsigned char *data, size_t size)
{
	const char *path = spool->archive->path;
	if (spool->written || size < 512)
		return 0;
	if (headers_are_zero(data))
		return failx("%s: there is nothing in it", path);
	return headers_have_checksum(data) ? 0 : failx("%s: it is not an archive", path);
}

static int write_all(struct spool *spool, const unsigned char *data, size_t size)
{
	if (check_head(spool, data, size) < 0)
		return -1;
	while (size) {
		ssize_t n = write(spool->to, data, size);
		if (n < 0) {
			room_hint(spool->written);
			return fail("unpack %s into the store", spool->archive->path);
		}
		spool->written += n;
		data += n;
		size -= n;
	}
	return 0;
}

/* Reads until SIZE or the end; what there was in HEAD first. */
static ssize_t read_some(struct spool *spool, unsigned char *data, size_t size)
{
	size_t done = spool->head_size;
	if (done)
		memcpy(data, spool->head, done);
	spool->head_size = 0;
	while (done < size) {
		ssize_t n = read(spool->archive->file, data + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail("read %s", spool->archive->path);
		if (n == 0)
			break;
		progress_read(spool->progress, n);
		done += n;
	}
	return (ssize_t)done;
}

static int feed(struct spool *spool)
{
	struct channel *channel = &spool->decoder.channel;
	unsigned char *slot;
	if (channel_update_input(channel) < 0)
		return failx("%s: its decoder says what can't be true", spool->archive->path);
	if (spool->fed || !(slot = channel_slot(channel)))
		return 0;
	ssize_t size = read_some(spool, slot, CHANNEL_SLOT);
	if (size < 0)
		return -1;
	channel_give(channel, size);
	if (size < CHANNEL_SLOT) {
		spool->fed = true;
		channel_end(channel);
	}
	return 1;
}

static int drain(struct spool *spool)
{
	struct channel *channel = &spool->decoder.channel;
	const unsigned char *data;
	struct record record;
	char text[1024];
	ssize_t size;
	int moved = 0, got = channel_get(channel, &record, text, sizeof(text) - 1);
	while ((size = channel_fresh(channel, &data)) > 0) {
		if (write_all(spool, data, size) < 0)
			return -1;
		channel_release_output(channel, channel->output_head);
		moved = 1;
	}
	if (size < 0 || got < 0 ||
	    (got && record.kind != RECORD_END && record.kind != RECORD_FAILED))
		return failx("%s: its decoder says what can't be true", spool->archive->path);
	if (got && record.kind == RECORD_FAILED) {
		text[record.size] = '\0';
		return failx("%s: %s", spool->archive->path, text);
	}
	spool->ended = got;
	return moved;
}

static int decompress(struct spool *spool)
{
	while (!spool->ended) {
		int fed = feed(spool), drained = fed < 0 ? -1 : drain(spool);
		if (drained < 0)
			return -1;
		if (!fed && !drained && !spool->ended &&
		    channel_may_sleep(&spool->decoder.channel, !spool->fed) &&
		    decoder_wait(&spool->decoder) < 0)
			return -1;
	}
	return 0;
}

static int copy(struct spool *spool)
{
	unsigned char buffer[CHANNEL_SLOT];
	ssize_t size;
	while ((size = read_some(spool, buffer, sizeof(buffer))) > 0)
		if (write_all(spool, buffer, size) < 0)
			return -1;
	return (int)size;
}

static int decode(struct spool *spool)
{
	struct decoder_task task = { .job = DECODE_STREAM, .window = spool->options->window };
	if (archive_packing(spool->archive, spool->head, spool->head_size, &task.compression) < 0)
		return -1;
	if (task.compression == PLAIN)
		return copy(spool);
	if (decoder_start(&spool->decoder, &task) < 0)
		return -1;
	int result = decompress(spool);
	decoder_stop(&spool->decoder);
	return result;
}

/* How long it is; 0: a pipe doesn't say. Of a file somebody may have read the first part. */
static struct blob rest_of(const struct archive *archive)
{
	struct stat st;
	off_t at = lseek(archive->file, 0, SEEK_CUR);
	bool known = at >= 0 && fstat(archive->file, &st) == 0 && S_ISREG(st.st_mode) && at < st.st_size;
	return (struct blob){ archive->file, known ? at : 0, known ? (uint64_t)(st.st_size - at) : 0 };
}

static int unpack(struct spool *spool)
{
	unsigned char head[512];
	ssize_t size = read_some(spool, head, sizeof(head));
	if (size < 0)
		return -1;
	if (size == 0)
		return failx("%s: it is empty", spool->archive->path);
	spool->head = head;
	spool->head_size = size;
	return decode(spool);
}

int archive_spool(struct archive *archive, const struct work *work,
		  const struct spool_options *options)
{
	const struct blob rest = rest_of(archive);
	if (rest.size && room_check(work->dir, room_least(&rest), archive->path,
				    "unpacked it needs", options->store) < 0)
		return -1;
	scoped_fd to = openat(work->dir, "archive", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0 || unlinkat(work->dir, "archive", 0) < 0)
		return fail("make a file for what %s unpacks to", archive->path);
	struct spool spool = { .archive = archive, .options = options, .to = to,
			       .progress = progress_create(0, rest.size, options->quiet) };
	int result = unpack(&spool);
	progress_destroy(spool.progress);
	if (result < 0)
		return -1;
	close(archive->file);
	archive->file = take_fd(&to);
	archive->packed = false;
	return 0;
}

/*
 * The parent's side of a decoder that reads a layer: fills its input, hashes both streams, checks
 * every record, and has the tree written.
 */
#include "rootfs/layer/layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/layer/census.h"
#include "rootfs/layer/data.h"
#include "rootfs/layer/entry.h"
#include "rootfs/decode/decoder.h"
#include "rootfs/decode/records.h"
#include "rootfs/base/err.h"

const struct layer_limits layer_limits = {
	.stream = 1ull << 38, .tail = 16 << 20, .entries = 4 << 20, .file = 1ll << 38,
};

struct extraction {
	const struct layer *layer;
	const struct layer_limits *limits;
	struct decoder decoder;
	struct tree tree;
	struct sha256 blob_hash, stream_hash;
	bool plain; /* the stream is the blob: one hash for both, and data come straight from the
		       input */
	bool fed, ended;
	uint64_t read;       /* bytes of the blob */
	uint64_t stream;     /* bytes of the stream that have come, and are hashed */
	uint64_t kept;       /* bytes of the stream before this one may be gone */
	uint64_t tail;       /* where the archive ends; 0: it has not yet */
	_Atomic uint64_t *progress;
	unsigned char record[RECORD_MAX + 1];
};

static int nonsense(void)
{
	return failx("its decoder says what can't be true: it may be an attack");
}

static int feed_slot(struct extraction *x, unsigned char *slot)
{
	ssize_t size = blob_read(&x->layer->blob, x->read, slot, CHANNEL_SLOT);
	if (size < 0)
		return fail("read it");
	sha256_update(&x->blob_hash, slot, size);
	x->read += size;
	if (x->plain)
		x->stream += size;
	if (size)
		channel_give(&x->decoder.channel, size);
	if (size < CHANNEL_SLOT) {
		x->fed = true;
		channel_end(&x->decoder.channel);
		if (x->read != x->layer->blob.size)
			return failx("it is truncated: %llu bytes of %llu",
				     (unsigned long long)x->read,
				     (unsigned long long)x->layer->blob.size);
	}
	if (x->progress)
		*x->progress = x->read;
	return 0;
}

/* Returns 1 where something was fed, 0 where there was no room. */
static int feed(struct extraction *x)
{
	unsigned char *slot;
	int moved = 0;
	if (!x->plain && channel_update_input(&x->decoder.channel) < 0)
		return nonsense();
	while (!x->fed && (slot = channel_slot(&x->decoder.channel))) {
		if (feed_slot(x, slot) < 0)
			return -1;
		moved = 1;
	}
	return moved;
}

/* Of a plain layer there is no output: some that nobody takes would keep us awake for ever. */
static int hash_fresh(struct extraction *x)
{
	const unsigned char *data;
	ssize_t size;
	while ((size = channel_fresh(&x->decoder.channel, &data)) > 0) {
		if (x->plain)
			return nonsense();
		sha256_update(&x->stream_hash, data, size);
		x->stream += size;
	}
	return size < 0 ? nonsense() : 0;
}

static int check_limits(const struct extraction *x)
{
	if (x->stream > x->limits->stream)
		return failx("it unpacks to more than %llu MiB",
			     (unsigned long long)x->limits->stream >> 20);
	if (x->tail && x->stream - x->tail > x->limits->tail)
		return failx("more than %llu MiB lie behind its archive's end",
			     (unsigned long long)x->limits->tail >> 20);
	return 0;
}

static void take_entry(const struct entry_record *record, const unsigned char *strings,
		       struct entry *entry)
{
	*entry = (struct entry){
		.mode = record->mode, .uid = record->uid, .gid = record->gid, .size = record->size,
		.whole = !record->sparse,
		.times = { { record->has_atime ? record->atime : record->mtime,
			     record->has_atime ? record->atime_ns : record->mtime_ns },
			   { record->mtime, record->mtime_ns } },
		.major = record->major, .minor = record->minor, .hard_link = record->hard_link,
		.path_size = record->path_size, .link_size = record->link_size,
		.attributes_size = record->attributes_size,
		.attributes = strings + record->path_size + record->link_size,
	};
}

/*
 * Path and link have no NULs behind them in the record: they get some, from its end to its
 * beginning, and one inside them would be a lie.
 */
static int handle_entry(struct extraction *x, uint32_t size)
{
	static char path[PATH_BYTES * 3], link[PATH_BYTES * 3];
	struct entry_record record;
	struct entry entry;
	if (size < sizeof(record))
		return nonsense();
	memcpy(&record, x->record, sizeof(record));
	uint64_t need = (uint64_t)record.path_size + record.link_size + record.attributes_size;
	if (need != size - sizeof(record) || record.path_size >= sizeof(path) ||
	    record.link_size >= sizeof(link))
		return nonsense();
	const unsigned char *strings = x->record + sizeof(record);
	take_entry(&record, strings, &entry);
	memcpy(path, strings, record.path_size);
	path[record.path_size] = '\0';
	memcpy(link, strings + record.path_size, record.link_size);
	link[record.link_size] = '\0';
	if (strlen(link) != record.link_size)
		return nonsense();
	entry.path = path;
	entry.link = link;
	if (x->tree.found.entries >= x->limits->entries)
		return failx("it has more than %llu entries",
			     (unsigned long long)x->limits->entries);
	if (entry.size > x->limits->file)
		return failx("%.400s: it is larger than %lld MiB", path,
			     (long long)x->limits->file >> 20);
	return entry_add(&x->tree, &entry);
}

/* A piece of the stream may go over the ring's edge. */
static int handle_data(struct extraction *x, uint32_t size)
{
	struct data_record data;
	if (size != sizeof(data))
		return nonsense();
	memcpy(&data, x->record, sizeof(data));
	if (data.stream < x->kept || data.stream > x->stream || data.size > x->stream - data.stream)
		return nonsense();
	if (x->tree.blob)
		return data.file > INT64_MAX ? failx("its data don't fit")
					     : data_place(&x->tree, data.file, data.stream, data.size);
	const unsigned char *ring = x->plain ? channel_input(&x->decoder.channel)
					     : channel_output(&x->decoder.channel);
	size_t length = x->plain ? CHANNEL_INPUT : CHANNEL_OUTPUT;
	while (data.size) {
		size_t place = data.stream % length;
		size_t piece = length - place < data.size ? length - place : data.size;
		if (data.file > INT64_MAX ||
		    data_write(&x->tree, data.file, ring + place, piece) < 0)
			return failx("its data don't fit");
		data.stream += piece;
		data.file += piece;
		data.size -= piece;
	}
	return 0;
}

static int handle_keep(struct extraction *x, uint64_t from)
{
	if (from < x->kept || from > x->stream)
		return nonsense();
	x->kept = from;
	if (x->plain)
		x->decoder.channel.input_tail = from;
	else
		channel_release_output(&x->decoder.channel, from);
	return 0;
}

static int handle_number(struct extraction *x, const struct record *record)
{
	uint64_t number;
	if (record->size != sizeof(number))
		return nonsense();
	memcpy(&number, x->record, sizeof(number));
	if (record->kind == RECORD_KEEP)
		return handle_keep(x, number);
	if (number > x->stream || x->tail)
		return nonsense();
	x->tail = number ? number : 1;
	return 0;
}

static int handle(struct extraction *x, const struct record *record)
{
	switch (record->kind) {
	case RECORD_ENTRY:
		return handle_entry(x, record->size);
	case RECORD_DATA:
		return handle_data(x, record->size);
	case RECORD_KEEP:
	case RECORD_TAIL:
		return handle_number(x, record);
	case RECORD_END:
		x->ended = true;
		return 0;
	case RECORD_FAILED:
		x->record[record->size] = '\0';
		return failx("%.700s", (const char *)x->record);
	}
	return nonsense();
}

/* A record speaks of bytes that were there before it: it is taken first, then they are counted. */
static int drain(struct extraction *x)
{
	struct record record;
	int got, moved = 0;
	do {
		uint64_t before = x->stream;
		got = channel_get(&x->decoder.channel, &record, x->record, RECORD_MAX);
		if (got < 0)
			return nonsense();
		if (hash_fresh(x) < 0)
			return -1;
		moved |= x->stream != before;
		if (check_limits(x) < 0)
			return -1;
		if (got && handle(x, &record) < 0)
			return -1;
		moved |= got;
	} while (got && !x->ended);
	return moved;
}

static int pump(struct extraction *x)
{
	while (!x->ended) {
		int fed = feed(x);
		int drained = fed < 0 ? -1 : drain(x);
		if (drained < 0)
			return -1;
		if (fed || drained || x->ended)
			continue;
		if (channel_may_sleep(&x->decoder.channel, !x->fed && !x->plain) &&
		    decoder_wait(&x->decoder) < 0)
			return -1;
	}
	/* What it says of the input may be a lie that nobody had a reason to look at. */
	return !x->plain && channel_update_input(&x->decoder.channel) < 0 ? nonsense() : 0;
}

static int compare(const char *what, const struct digest *found, const struct digest *stated)
{
	if (!stated->hex[0] || digest_equal(found, stated))
		return 0;
	return failx("its %s is wrong: sha256:%s is stated, sha256:%s is there", what, stated->hex,
		     found->hex);
}

static int check_digests(struct extraction *x)
{
	struct digest blob;
	struct sha256 hash = x->blob_hash;
	if (!x->fed || x->read != x->layer->blob.size)
		return nonsense();
	sha256_final(&hash, &blob);
	if (compare("digest", &blob, &x->layer->digest) < 0)
		return -1;
	x->tree.found.diff_id = blob;
	if (!x->plain)
		sha256_final(&x->stream_hash, &x->tree.found.diff_id);
	return compare("diff ID", &x->tree.found.diff_id, &x->layer->diff_id);
}

static int start(struct extraction *x)
{
	unsigned char head[512];
	struct decoder_task task = { .job = DECODE_LAYER, .window = x->layer->window };
	ssize_t size = blob_read(&x->layer->blob, 0, head, sizeof(head));
	if (size < 0)
		return fail("read it");
	if (compression_find(head, size, &task.compression) < 0)
		return -1;
	x->plain = task.compression == PLAIN;
	if (x->layer->in_place && !x->plain) {
		failx("it is compressed, so that its files can't be read where they are");
		return hint("run it without --no-unpack, or save the image with plain layers");
	}
	return decoder_start(&x->decoder, &task);
}

static int recount(struct tree *tree)
{
	struct census census;
	if (census_take(tree->levels[0].dir, &census) < 0)
		return errno == ENAMETOOLONG
			       ? failx("its links lead to more than %d directories deep", PATH_DEPTH)
			       : fail("look at what came of it");
	tree->found.names = census.names;
	tree->found.content = census.content;
	return 0;
}

static int extract(struct extraction *x)
{
	if (start(x) < 0 || pump(x) < 0 || entry_finish(&x->tree) < 0)
		return -1;
	if (x->tree.recount && recount(&x->tree) < 0)
		return -1;
	return check_digests(x);
}

/*
 * Where the blob isn't what its digest says, that is the cause, and not what the decoder stumbled
 * over. So a failure waits until the rest has been hashed.
 */
static void blame_digest(struct extraction *x)
{
	struct digest found;
	unsigned char *buffer = x->record;
	ssize_t size;
	if (!x->layer->digest.hex[0])
		return;
	while ((size = blob_read(&x->layer->blob, x->read, buffer, 65536)) > 0) {
		sha256_update(&x->blob_hash, buffer, size);
		x->read += size;
	}
	sha256_final(&x->blob_hash, &found);
	if (digest_equal(&found, &x->layer->digest))
		return;
	failure_clear();
	compare("digest", &found, &x->layer->digest);
}

int layer_extract(const struct layer *layer, const struct layer_limits *limits, int root,
		  int implied, _Atomic uint64_t *progress, struct findings *found)
{
	struct extraction *x = calloc(1, sizeof(*x));
	if (!x)
		return fail("extract it");
	x->layer = layer;
	x->limits = limits;
	x->progress = progress;
	x->decoder.pidfd = x->decoder.channel.wake_child = x->decoder.channel.wake_parent = -1;
	sha256_init(&x->blob_hash);
	sha256_init(&x->stream_hash);
	int result = tree_open(&x->tree, root, implied);
	x->tree.blob = layer->in_place ? &layer->blob : NULL;
	x->tree.need = layer->need;
	if (result == 0)
		result = extract(x);
	if (result < 0)
		blame_digest(x);
	*found = x->tree.found;
	decoder_stop(&x->decoder);
	tree_close(&x->tree);
	free(x);
	return result;
}

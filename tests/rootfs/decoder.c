/*
 * A decoder that does its worst: this program's own decoder_run takes the place of rootfs/decode/decoder_run.c, in the
 * same sandbox, on the same channel. Whatever it says that is not so is refused.
 */
#include "tests/rootfs/decoder.h"

#include "rootfs/archive/archive.h"
#include "tests/lib/tap.h"

#define NONSENSE "says what can't be true"

/* An entry, and what it says of its own size. */
struct lie {
	struct entry_record entry;
	const char *path, *link;
	size_t path_size, link_size; /* where the text has a NUL in it */
	const void *attributes;
};

static const struct lie *told;

static void put(struct channel *c, enum record_kind kind, const void *data, size_t size)
{
	struct piece piece = { data, size };
	channel_put(c, kind, &piece, 1);
}

static void put_number(struct channel *c, enum record_kind kind, uint64_t number)
{
	put(c, kind, &number, sizeof(number));
}

static void unknown_record(struct channel *c) { put_number(c, 77, 0); }
static void wants_in_layer(struct channel *c) { put_number(c, RECORD_WANT, 0); }
static void keeps_future(struct channel *c) { put_number(c, RECORD_KEEP, 1ull << 40); }
static void keeps_past(struct channel *c)
{
	channel_room(c);
	channel_made(c, CHANNEL_SLOT);
	put_number(c, RECORD_KEEP, 5);
	put_number(c, RECORD_KEEP, 4);
}
static void tail_in_future(struct channel *c) { put_number(c, RECORD_TAIL, 1ull << 40); }
static void two_tails(struct channel *c)
{
	channel_room(c);
	channel_made(c, CHANNEL_SLOT);
	put_number(c, RECORD_TAIL, 1);
	put_number(c, RECORD_TAIL, 1);
}
static void short_number(struct channel *c) { put(c, RECORD_KEEP, "", 1); }
static void short_entry(struct channel *c) { put(c, RECORD_ENTRY, "abc", 3); }
static void short_data(struct channel *c) { put(c, RECORD_DATA, "abc", 3); }

/* The parent looks, and has time to. */
static void wake_and_sleep(struct channel *c)
{
	uint64_t count = 1;
	if (write(c->wake_parent, &count, sizeof(count)) < 0)
		_exit(1);
	for (;;)
		if (read(c->wake_child, &count, sizeof(count)) < 0)
			_exit(1);
}

static void wrong_heads(struct channel *c)
{
	atomic_store(&c->up->record_head, 1ull << 50);
	wake_and_sleep(c);
}
static void odd_head(struct channel *c)
{
	atomic_store(&c->up->record_head, 3);
	wake_and_sleep(c);
}
static void wrong_output(struct channel *c)
{
	atomic_store(&c->up->output_head, 1ull << 50);
	put_number(c, RECORD_KEEP, 0);
}
static void wrong_input(struct channel *c)
{
	atomic_store(&c->up->input_tail, 1ull << 50);
	put_number(c, RECORD_KEEP, 0);
}

static void long_record(struct channel *c)
{
	struct record record = { RECORD_ENTRY, 0xfffffff0 };
	memcpy(channel_records(c), &record, sizeof(record));
	atomic_store(&c->up->record_head, 100);
	wake_and_sleep(c);
}

static void put_lie(struct channel *c, struct lie one)
{
	size_t path_size = one.path_size ? one.path_size : strlen(one.path);
	size_t link_size = one.link ? (one.link_size ? one.link_size : strlen(one.link)) : 0;
	if (!one.entry.path_size)
		one.entry.path_size = path_size;
	one.entry.link_size = link_size;
	struct piece pieces[] = { { &one.entry, sizeof(one.entry) }, { one.path, path_size },
				  { one.link, link_size }, { one.attributes, one.entry.attributes_size } };
	channel_put(c, RECORD_ENTRY, pieces, 4);
}

static void lies(struct channel *c) { put_lie(c, *told); }

#define FILE_ENTRY .mode = S_IFREG | 0644

static void through_link(struct channel *c)
{
	put_lie(c, (struct lie){ .entry = { .mode = S_IFLNK | 0777 }, .path = "a", .link = "/tmp" });
	put_lie(c, (struct lie){ .entry = { FILE_ENTRY }, .path = "a/wherry-evil" });
}

static void put_data(struct channel *c, struct data_record data)
{
	memset(channel_room(c), 'x', CHANNEL_SLOT);
	channel_made(c, CHANNEL_SLOT);
	put_lie(c, (struct lie){ .entry = { FILE_ENTRY, .size = 100 }, .path = "a" });
	put(c, RECORD_DATA, &data, sizeof(data));
}
static void data_in_future(struct channel *c) { put_data(c, (struct data_record){ 1ull << 40, 0, 10 }); }
static void data_too_long(struct channel *c) { put_data(c, (struct data_record){ 0, 0, UINT64_MAX }); }
static void data_round_the_world(struct channel *c) { put_data(c, (struct data_record){ UINT64_MAX, 0, 2 }); }
static void data_behind_file(struct channel *c) { put_data(c, (struct data_record){ 0, 90, 20 }); }
static void data_far_behind(struct channel *c) { put_data(c, (struct data_record){ 0, INT64_MAX, 5 }); }
static void data_before_file(struct channel *c) { put_data(c, (struct data_record){ 0, UINT64_MAX, 5 }); }
static void data_backwards(struct channel *c)
{
	struct data_record again = { 0, 5, 5 };
	put_data(c, (struct data_record){ 0, 10, 5 });
	put(c, RECORD_DATA, &again, sizeof(again));
}
static void data_let_go(struct channel *c)
{
	struct data_record gone = { 0, 0, 5 };
	channel_room(c);
	channel_made(c, CHANNEL_SLOT);
	put_number(c, RECORD_KEEP, 10);
	put_lie(c, (struct lie){ .entry = { FILE_ENTRY, .size = 100 }, .path = "a" });
	put(c, RECORD_DATA, &gone, sizeof(gone));
}

/* Another tree than the blob's, and no lie in any record: the digests are what holds. */
static void ends_at_once(struct channel *c) { (void)c; }
static void dies(struct channel *c) { (void)c; _exit(0); }

/* Of a layer whose data stay where they are: PLAIN bytes of the archive are the layer's. */
enum { PLAIN_AT = 512, PLAIN_SIZE = 1000 };

static void put_place(struct channel *c, int64_t size, struct data_record data)
{
	const unsigned char *input;
	channel_take(c, 0, &input);
	put_lie(c, (struct lie){ .entry = { FILE_ENTRY, .size = size }, .path = "a" });
	put(c, RECORD_DATA, &data, sizeof(data));
}
static void place_behind_layer(struct channel *c) { put_place(c, 100, (struct data_record){ PLAIN_SIZE - 10, 0, 20 }); }
static void place_far_behind(struct channel *c) { put_place(c, 100, (struct data_record){ 1ull << 40, 0, 20 }); }
static void place_before_layer(struct channel *c) { put_place(c, 100, (struct data_record){ (uint64_t)-PLAIN_AT, 0, 20 }); }
static void place_too_long(struct channel *c) { put_place(c, 100, (struct data_record){ 0, 0, 200 }); }
static void place_before_file(struct channel *c) { put_place(c, 100, (struct data_record){ 0, UINT64_MAX, 5 }); }
static void place_backwards(struct channel *c)
{
	struct data_record again = { 0, 20, 50 };
	put_place(c, 100, (struct data_record){ 0, 0, 50 });
	put(c, RECORD_DATA, &again, sizeof(again));
}
/* The same bytes again and again, never one run. */
static void places_too_many(struct channel *c)
{
	struct data_record again = { 1, 0, PLAIN_SIZE - 1 };
	put_place(c, 1ll << 37, again);
	for (int i = 0; i < 80000; i++) {
		again.file += again.size;
		put(c, RECORD_DATA, &again, sizeof(again));
	}
}

/* Nobody would ever take it: then there is always something that has come. */
static void output_to_nobody(struct channel *c)
{
	atomic_store(&c->up->output_head, 10);
	wake_and_sleep(c);
}

static const struct evil_case places[] = {
	{ "is refused output where there is none", output_to_nobody, NONSENSE },
	{ "is refused a place behind the layer", place_behind_layer, NONSENSE },
	{ "is refused a place far behind the layer", place_far_behind, NONSENSE },
	{ "is refused a place before the layer", place_before_layer, NONSENSE },
	{ "is refused a place for more than the file", place_too_long, "its data don't fit its size" },
	{ "is refused a place before the file", place_before_file, "don't fit" },
	{ "is refused places that go backwards", place_backwards, "its data don't fit its size" },
	{ "is refused places that take too much to copy", places_too_many, "too large" },
};

static const struct attribute_record too_long = { 5, 0xfffffff0 };

static const struct evil_case cases[] = {
	{ "is refused an unknown record", unknown_record, NONSENSE },
	{ "is refused an index reader's question", wants_in_layer, NONSENSE },
	{ "is refused to keep what has not come", keeps_future, NONSENSE },
	{ "is refused to keep what it let go", keeps_past, NONSENSE },
	{ "is refused an end that has not come", tail_in_future, NONSENSE },
	{ "is refused two ends", two_tails, NONSENSE },
	{ "is refused a number that is too short", short_number, NONSENSE },
	{ "is refused an entry that is too short", short_entry, NONSENSE },
	{ "is refused data that are too short", short_data, NONSENSE },
	{ "is refused more records than there is room for", wrong_heads, NONSENSE },
	{ "is refused a part of a record", odd_head, NONSENSE },
	{ "is refused more output than there is room for", wrong_output, NONSENSE },
	{ "is refused to have taken more than there was", wrong_input, NONSENSE },
	{ "is refused a record longer than the ring", long_record, NONSENSE },
	{ "is refused a way through a link", through_link, "follow the symbolic link" },
	{ "is refused data that have not come", data_in_future, NONSENSE },
	{ "is refused data without an end", data_too_long, NONSENSE },
	{ "is refused data round the end of numbers", data_round_the_world, NONSENSE },
	{ "is refused data behind a file's end", data_behind_file, "its data don't fit its size" },
	{ "is refused data far behind a file's end", data_far_behind, "its data don't fit its size" },
	{ "is refused data before a file's beginning", data_before_file, "don't fit" },
	{ "is refused data that go backwards", data_backwards, "its data don't fit its size" },
	{ "is refused data that it let go", data_let_go, NONSENSE },
	{ "passes off no tree when it ends at once", ends_at_once, "" },
	{ "is not taken to have ended well when it dies", dies, "ended too early" },
};

static const struct {
	const char *says, *refused;
	struct lie lie;
} entries[] = {
	{ "is refused a path longer than its record", NONSENSE,
	  { .entry = { FILE_ENTRY, .path_size = 0xffffff00 }, .path = "a" } },
	{ "is refused a path that climbs out", "leads out of the layer",
	  { .entry = { FILE_ENTRY }, .path = "../../../../../../tmp/wherry-evil" } },
	{ "is refused a path with a NUL", "has a NUL in it",
	  { .entry = { FILE_ENTRY }, .path = "a\0b", .path_size = 3 } },
	{ "is refused a link with a NUL", NONSENSE,
	  { .entry = { .mode = S_IFLNK | 0777 }, .path = "a", .link = "b\0c", .link_size = 3 } },
	{ "is refused a hard link out of the layer", "leads out of the layer",
	  { .entry = { FILE_ENTRY, .hard_link = 1 }, .path = "a", .link = "../../etc/passwd" } },
	{ "is refused an entry without a type", "its type is not one",
	  { .entry = { .mode = 0644 }, .path = "a" } },
	{ "is refused a socket", "its type is not one",
	  { .entry = { .mode = S_IFSOCK | 0644 }, .path = "a" } },
	{ "is refused a whiteout of its own", "overlayfs' own",
	  { .entry = { .mode = S_IFCHR | 0644 }, .path = "a" } },
	{ "is refused an owner that is none", "its owner is not between",
	  { .entry = { FILE_ENTRY, .uid = UINT64_MAX }, .path = "a" } },
	{ "is refused a negative size", "its size is negative",
	  { .entry = { FILE_ENTRY, .size = -1 }, .path = "a" } },
	{ "is refused a time that is none", "its time makes no sense",
	  { .entry = { FILE_ENTRY, .mtime_ns = 2000000000 }, .path = "a" } },
	{ "is refused an attribute longer than its record", "its attributes make no sense",
	  { .entry = { .mode = S_IFDIR | 0755, .attributes_size = sizeof(too_long) }, .path = "a", .attributes = &too_long } },
	{ "is refused half an attribute", "its attributes make no sense",
	  { .entry = { .mode = S_IFDIR | 0755, .attributes_size = 3 }, .path = "a", .attributes = "abc" } },
};

/* An archive with a layer in its midst. */
static int make_plain(struct layer *layer)
{
	static char archive[PLAIN_AT + PLAIN_SIZE + PLAIN_AT];
	int file = memfd_create("archive", MFD_CLOEXEC);
	if (file < 0 || write(file, archive, sizeof(archive)) != sizeof(archive))
		return -1;
	*layer = (struct layer){ .blob = { file, PLAIN_AT, PLAIN_SIZE }, .in_place = true };
	return file;
}

/* What reads an archive's index has no output either. */
static void try_index(int file)
{
	struct archive archive = { .path = "archive", .dir = -1, .file = file };
	evil = output_to_nobody;
	failure_clear();
	int result = archive_index(&archive);
	tap_ok(result < 0 && strstr(failure_get()->text, NONSENSE),
	       "a decoder that is taken over is refused output beside an index");
	archive_close(&archive);
}

int main(void)
{
	char place[] = "/tmp/wherry-decoder.XXXXXX", root[64];
	struct layer layer;
	if (!mkdtemp(place) || make_blob(&layer) < 0)
		return 1;
	snprintf(root, sizeof(root), "%s/root", place);
	try_all(&layer, root, cases, sizeof(cases) / sizeof(cases[0]));
	evil = lies;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		told = &entries[i].lie;
		try(&layer, root, entries[i].says, entries[i].refused);
	}
	int plain = make_plain(&layer);
	if (plain < 0)
		return 1;
	try_all(&layer, root, places, sizeof(places) / sizeof(places[0]));
	try_index(plain);
	rmdir(place);
	return tap_finish();
}

/*
 * A decoder that does its worst: this program's own decoder_run takes the place of rootfs/decoder_run.c, in the
 * same sandbox, on the same channel. Whatever it tries, it reaches nothing, and what it says is refused.
 */
#include "rootfs/decoder.h"

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

#include "rootfs/err.h"
#include "rootfs/layer.h"
#include "rootfs/remove.h"
#include "tests/tap.h"

#define SANDBOX "tried what it may not do"
#define NONSENSE "says what can't be true"

/* An entry, and what it says of its own size. */
struct lie {
	struct entry_record entry;
	const char *path, *link;
	size_t path_size, link_size; /* where the text has a NUL in it */
	const void *attributes;
};

static void (*evil)(struct channel *);
static const struct lie *told;

int decoder_run(struct channel *channel, const struct decoder_task *task)
{
	(void)task;
	evil(channel);
	channel_put(channel, RECORD_END, NULL, 0);
	return 0;
}

int decoder_fail(struct channel *channel, const char *fmt, ...)
{
	struct piece piece = { fmt, strlen(fmt) };
	channel_put(channel, RECORD_FAILED, &piece, 1);
	return -1;
}

static void opens(struct channel *c) { (void)c; syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }
static void makes_socket(struct channel *c) { (void)c; socket(AF_INET, SOCK_STREAM, 0); }
static void forks(struct channel *c) { (void)c; syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }
static void clones(struct channel *c) { (void)c; syscall(SYS_clone3, NULL, 0); }
static void executes(struct channel *c) { (void)c; execve("/bin/sh", NULL, NULL); }
static void kills(struct channel *c) { (void)c; syscall(SYS_kill, 1, 0); }
static void kills_parent(struct channel *c) { (void)c; kill(getppid(), SIGKILL); }
static void traces(struct channel *c) { (void)c; syscall(SYS_ptrace, 16, 1, 0, 0); }
static void writes_memory(struct channel *c) { (void)c; process_vm_writev(1, NULL, 0, NULL, 0, 0); }
static void makes_file(struct channel *c) { (void)c; syscall(SYS_memfd_create, "x", 0); }
static void becomes_root(struct channel *c) { (void)c; syscall(SYS_setuid, 0); }
static void makes_ring(struct channel *c) { (void)c; syscall(SYS_io_uring_setup, 1, NULL); }
static void unshares(struct channel *c) { (void)c; syscall(SYS_unshare, 0x10000000); }
static void writes_elsewhere(struct channel *c) { (void)c; if (write(2, "evil\n", 5) < 0) return; }
static void reads_elsewhere(struct channel *c) { char b[8]; (void)c; if (read(1, b, sizeof(b)) < 0) return; }
static void controls(struct channel *c) { (void)c; syscall(SYS_ioctl, 0, 0, 0); }
static void copies_descriptor(struct channel *c) { (void)c; syscall(SYS_dup, 0); }
static void truncates(struct channel *c) { (void)c; syscall(SYS_ftruncate, 0, 0); }

static void maps_code(struct channel *c)
{
	(void)c;
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void makes_code(struct channel *c)
{
	mprotect(c->up, 4096, PROT_READ | PROT_EXEC);
}

#if defined(__x86_64__)
/* The same numbers mean other calls: x32's have bit 30 set. */
static void calls_x32(struct channel *c) { (void)c; syscall(0x40000000 | SYS_read, 0, NULL, 0); }
#endif

static void writes_input(struct channel *c)
{
	*(volatile unsigned char *)channel_input(c) = 1;
}

static void unprotects_input(struct channel *c)
{
	if (mprotect((void *)c->below, 4096 + CHANNEL_INPUT, PROT_READ | PROT_WRITE) < 0)
		writes_input(c);
}

/* Until there is none; then it ends without a word. */
static void takes_memory(struct channel *c)
{
	char *piece;
	(void)c;
	while ((piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED)
		memset(piece, 1, 1 << 20);
	_exit(0);
}

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

static const struct {
	const char *says;
	void (*evil)(struct channel *);
	const char *refused;
} places[] = {
	{ "is refused a place behind the layer", place_behind_layer, NONSENSE },
	{ "is refused a place far behind the layer", place_far_behind, NONSENSE },
	{ "is refused a place before the layer", place_before_layer, NONSENSE },
	{ "is refused a place for more than the file", place_too_long, "its data don't fit its size" },
	{ "is refused a place before the file", place_before_file, "don't fit" },
	{ "is refused places that go backwards", place_backwards, "its data don't fit its size" },
	{ "is refused places that take too much to copy", places_too_many, "too large" },
};

static const struct attribute_record too_long = { 5, 0xfffffff0 };

static const struct {
	const char *says;
	void (*evil)(struct channel *);
	const char *refused;
} cases[] = {
	{ "opens no file", opens, SANDBOX },
	{ "makes no socket", makes_socket, SANDBOX },
	{ "makes no process", forks, SANDBOX },
	{ "makes no process by clone3", clones, SANDBOX },
	{ "executes nothing", executes, SANDBOX },
	{ "kills nobody", kills, SANDBOX },
	{ "does not kill its parent", kills_parent, SANDBOX },
	{ "traces nobody", traces, SANDBOX },
	{ "writes into no other process", writes_memory, SANDBOX },
	{ "makes no file in memory", makes_file, SANDBOX },
	{ "does not become root again", becomes_root, SANDBOX },
	{ "makes no io_uring", makes_ring, SANDBOX },
	{ "makes no namespace", unshares, SANDBOX },
	{ "writes to no descriptor but the channel's", writes_elsewhere, SANDBOX },
	{ "reads from no descriptor but the channel's", reads_elsewhere, SANDBOX },
	{ "controls no device", controls, SANDBOX },
	{ "copies no descriptor", copies_descriptor, SANDBOX },
	{ "truncates nothing", truncates, SANDBOX },
	{ "maps no code", maps_code, SANDBOX },
	{ "makes no code of what it wrote", makes_code, SANDBOX },
#if defined(__x86_64__)
	{ "makes no call of another kind", calls_x32, SANDBOX },
#endif
	{ "does not write what the parent has hashed", writes_input, "was killed (signal 11" },
	{ "does not get the right to", unprotects_input, "was killed (signal 11" },
	{ "gets no more memory than it may have", takes_memory, "ended too early" },
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

int main(void)
{
	char place[] = "/tmp/wherry-decoder.XXXXXX", root[64];
	struct layer layer;
	if (!mkdtemp(place) || make_blob(&layer) < 0)
		return 1;
	snprintf(root, sizeof(root), "%s/root", place);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		evil = cases[i].evil;
		try(&layer, root, cases[i].says, cases[i].refused);
	}
	evil = lies;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		told = &entries[i].lie;
		try(&layer, root, entries[i].says, entries[i].refused);
	}
	if (make_plain(&layer) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		evil = places[i].evil;
		try(&layer, root, places[i].says, places[i].refused);
	}
	rmdir(place);
	return tap_finish();
}

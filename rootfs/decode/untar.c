/*
 * The tar reader, in the decoder: libarchive's, with the tar format alone and no filters
 * (IMAGES.md rule 7).
 */
#include "rootfs/decode/untar.h"

#include <archive.h>
#include <archive_entry.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "rootfs/decode/headers.h"
#include "rootfs/decode/records.h"

struct untar {
	struct channel *channel;
	struct inflater *inflater; /* NULL: the stream is the input itself */
	struct archive *archive;
	uint64_t produced; /* the stream's length so far; libarchive has had all of it but REST */
	uint64_t wanted;   /* index: offset of the next slot in the file */
	struct headers headers;
	struct span rest;  /* of the slot at hand */
	const unsigned char *slot; /* index: what ends at WANTED */
	size_t slot_size;
	bool in_data;      /* data of an entry are being read: what they are in must stay */
	bool ended;
	bool opened;       /* the stream could be read, even if there is nothing in it */
	unsigned char attributes[RECORD_MAX / 4 * 3];
	unsigned char gathered[HEADERS_MAX];
};

static void put_number(struct untar *untar, enum record_kind kind, uint64_t number)
{
	struct piece piece = { &number, sizeof(number) };
	channel_put(untar->channel, kind, &piece, 1);
}

/* The next slot of the stream; 0: its end. */
static ssize_t next_slot(struct untar *untar, const void **data)
{
	size_t size;
	if (untar->ended)
		return 0;
	if (!untar->inflater) {
		size = channel_take(untar->channel, untar->produced, (const unsigned char **)data);
	} else {
		unsigned char *room = channel_room(untar->channel);
		if (inflater_read(untar->inflater, room, CHANNEL_SLOT, &size) < 0)
			return -1;
		untar->ended = size < CHANNEL_SLOT;
		channel_made(untar->channel, size);
		*data = room;
	}
	untar->opened = true;
	untar->produced += size;
	return size;
}

/* The next slot is REST where none is left. What was before it isn't needed any more. */
static int refill(struct untar *untar, uint64_t keep)
{
	const void *data;
	if (untar->rest.size)
		return 0;
	put_number(untar, RECORD_KEEP, keep);
	ssize_t size = next_slot(untar, &data);
	untar->rest = (struct span){ data, size > 0 ? size : 0 };
	return size < 0 ? -1 : 0;
}

static void move_on(struct untar *untar, size_t size)
{
	untar->rest.data += size;
	untar->rest.size -= size;
}

/* What is taken of it is copied, so that slots can go; data that the parent has still to copy are all before. */
static ssize_t gather_headers(struct untar *untar, const void **data)
{
	size_t got = 0, wanted;
	while ((wanted = headers_gather(&untar->headers, untar->gathered, got)) > got) {
		if (wanted > HEADERS_MAX)
			return channel_fail(untar->channel, "tar: its pax headers take more than %d KiB",
					    HEADERS_MAX >> 10);
		if (refill(untar, untar->produced) < 0)
			return -1;
		if (!untar->rest.size)
			break; /* truncated: libarchive says so */
		size_t size = wanted - got < untar->rest.size ? wanted - got : untar->rest.size;
		memcpy(untar->gathered + got, untar->rest.data, size);
		got += size;
		move_on(untar, size);
	}
	*data = untar->gathered;
	return got;
}

/*
 * libarchive's block before this one is done with: it copies what it still needs. Only data that
 * have been announced to the parent must stay.
 */
static ssize_t read_layer(struct archive *archive, void *context, const void **data)
{
	struct untar *untar = context;
	if (refill(untar, untar->in_data ? (uint64_t)archive_filter_bytes(archive, 0) : untar->produced) < 0)
		return -1;
	if (!untar->rest.size)
		return 0;
	size_t size = headers_pass(&untar->headers, untar->rest, untar->produced - untar->rest.size);
	if (!size)
		return gather_headers(untar, data);
	*data = untar->rest.data;
	move_on(untar, size);
	return size;
}

static ssize_t read_index(struct archive *archive, void *context, const void **data)
{
	struct untar *untar = context;
	(void)archive;
	ssize_t size = channel_ask(untar->channel, untar->wanted, (const unsigned char **)data);
	untar->wanted += size;
	untar->produced += size;
	untar->slot = *data;
	untar->slot_size = size;
	return size;
}

static int64_t skip_index(struct archive *archive, void *context, int64_t request)
{
	struct untar *untar = context;
	(void)archive;
	untar->wanted += request;
	return request;
}

/*
 * In the C locale libarchive can't convert a pax header's non-ASCII names, says so, and leaves the
 * bytes as they are: just what is wanted. No other warning is let pass.
 */
static bool matters(struct archive *archive)
{
	const char *text = archive_error_string(archive);
	return !text || !strstr(text, "can't be converted");
}

static int fail_archive(struct untar *untar)
{
	const char *text = archive_error_string(untar->archive);
	return channel_fail(untar->channel, "tar: %s", text ? text : "it is damaged");
}

static int add_attribute(struct untar *untar, uint32_t *used, const char *name, const void *value,
			 size_t size)
{
	struct attribute_record attribute = { strlen(name), size };
	size_t need = sizeof(attribute) + attribute.name_size + size;
	if (size > sizeof(untar->attributes) || need > sizeof(untar->attributes) - *used)
		return channel_fail(untar->channel, "its attributes take more than %zu bytes",
				    sizeof(untar->attributes));
	unsigned char *to = untar->attributes + *used;
	memcpy(to, &attribute, sizeof(attribute));
	memcpy(to + sizeof(attribute), name, attribute.name_size);
	memcpy(to + sizeof(attribute) + attribute.name_size, value, size);
	*used += need;
	return 0;
}

static int collect_attributes(struct untar *untar, struct archive_entry *entry, uint32_t *used)
{
	const char *name;
	const void *value;
	size_t size;
	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
		if (add_attribute(untar, used, name, value, size) < 0)
			return -1;
	return 0;
}

/*
 * libarchive reads the pax time "-1.5" as one second before 1970 and half a second after that.
 * (Only pax times have fractions.)
 */
static void correct(int64_t *seconds, uint32_t *nanoseconds)
{
	if (*seconds >= 0 || !*nanoseconds)
		return;
	--*seconds;
	*nanoseconds = 1000000000 - *nanoseconds;
}

static void describe(struct archive_entry *entry, struct entry_record *record)
{
	record->size = archive_entry_size(entry);
	record->uid = archive_entry_uid(entry);
	record->gid = archive_entry_gid(entry);
	record->mode = archive_entry_mode(entry);
	record->mtime = archive_entry_mtime(entry);
	record->mtime_ns = archive_entry_mtime_nsec(entry);
	record->has_atime = archive_entry_atime_is_set(entry);
	record->atime = archive_entry_atime(entry);
	record->atime_ns = archive_entry_atime_nsec(entry);
	correct(&record->mtime, &record->mtime_ns);
	correct(&record->atime, &record->atime_ns);
	record->major = archive_entry_rdevmajor(entry);
	record->minor = archive_entry_rdevminor(entry);
}

static int send_entry(struct untar *untar, struct archive_entry *entry)
{
	const char *path = archive_entry_pathname(entry), *target = archive_entry_hardlink(entry);
	struct entry_record record = { .hard_link = target != NULL };
	if (!target)
		target = archive_entry_symlink(entry);
	describe(entry, &record);
	record.position = archive_filter_bytes(untar->archive, 0);
	record.sparse = archive_entry_sparse_count(entry) > 0;
	record.path_size = path ? strlen(path) : 0;
	record.link_size = target ? strlen(target) : 0;
	if (record.path_size > 8192 || record.link_size > 8192)
		return channel_fail(untar->channel, "%.100s…: its name is longer than 4095 bytes",
				    path ? path : "");
	if (collect_attributes(untar, entry, &record.attributes_size) < 0)
		return -1;
	struct piece pieces[] = {
		{ &record, sizeof(record) },
		{ path, record.path_size },
		{ target, record.link_size },
		{ untar->attributes, record.attributes_size },
	};
	channel_put(untar->channel, RECORD_ENTRY, pieces, 4);
	return 0;
}

/*
 * A tar archive is not compressed inside: the position of libarchive's reader says where in the
 * stream the data lie, wherever it has copied them to.
 */
static int send_data(struct untar *untar)
{
	const void *buffer;
	size_t size;
	int64_t offset;
	for (;;) {
		int result = archive_read_data_block(untar->archive, &buffer, &size, &offset);
		if (result == ARCHIVE_EOF)
			return 0;
		if (result != ARCHIVE_OK)
			return fail_archive(untar);
		struct data_record data = { archive_filter_bytes(untar->archive, 0), offset, size };
		struct piece piece = { &data, sizeof(data) };
		channel_put(untar->channel, RECORD_DATA, &piece, 1);
	}
}

/* Returns 1; 0: the archive's end; -1 after sending RECORD_FAILED. */
static int next_entry(struct untar *untar, struct archive_entry **entry)
{
	int result = archive_read_next_header(untar->archive, entry);
	if (result == ARCHIVE_EOF)
		return 0;
	if (result != ARCHIVE_OK && (result != ARCHIVE_WARN || matters(untar->archive)))
		return fail_archive(untar);
	return 1;
}

static int each_entry(struct untar *untar)
{
	struct archive_entry *entry;
	int result;
	while ((result = next_entry(untar, &entry)) > 0) {
		if (send_entry(untar, entry) < 0)
			return -1;
		untar->in_data = true;
		result = archive_entry_filetype(entry) == AE_IFREG ? send_data(untar) : 0;
		untar->in_data = false;
		if (result < 0)
			return -1;
	}
	return result;
}

/* What lies behind the archive's end is part of the stream, and of its digest. */
static int drain(struct untar *untar)
{
	const void *data;
	ssize_t size;
	put_number(untar, RECORD_TAIL, archive_filter_bytes(untar->archive, 0));
	do {
		put_number(untar, RECORD_KEEP, untar->produced);
		size = next_slot(untar, &data);
	} while (size > 0);
	return (int)size;
}

static struct archive *reader_new(void)
{
	struct archive *archive = archive_read_new();
	if (archive && archive_read_support_format_tar(archive) == ARCHIVE_OK)
		return archive;
	return NULL;
}

int untar_layer(struct channel *channel, struct inflater *inflater)
{
	static struct untar untar;
	memset(&untar, 0, offsetof(struct untar, attributes));
	untar.channel = channel;
	untar.inflater = inflater;
	untar.archive = reader_new();
	if (!untar.archive)
		return channel_fail(channel, "there is no memory to read it");
	headers_init(&untar.headers);
	int result = archive_read_open(untar.archive, &untar, NULL, read_layer, NULL);
	/* A layer of no bytes is one of no entries; libarchive knows no format of it. */
	if (result != ARCHIVE_OK && !untar.produced && untar.opened)
		return 0;
	if (result != ARCHIVE_OK)
		return fail_archive(&untar);
	if (each_entry(&untar) < 0)
		return -1;
	return drain(&untar);
}

/*
 * Here nothing is rewritten, since parts of the file are jumped over. The header is the block before the data,
 * in the slot that libarchive reads.
 */
static int check_header(struct untar *untar, struct archive_entry *entry)
{
	uint64_t at = archive_filter_bytes(untar->archive, 0), begin = untar->wanted - untar->slot_size;
	if (at < begin + 512 || at > untar->wanted || archive_entry_filetype(entry) != AE_IFREG ||
	    !headers_are_odd(untar->slot + (at - begin - 512)))
		return 0;
	const char *path = archive_entry_pathname(entry);
	return channel_fail(untar->channel, "tar: %.100s: its header is a sparse file's, its type is not",
			    path ? path : "");
}

int untar_index(struct channel *channel)
{
	static struct untar untar;
	struct archive_entry *entry;
	int result;
	memset(&untar, 0, offsetof(struct untar, attributes));
	untar.channel = channel;
	untar.archive = reader_new();
	if (!untar.archive)
		return channel_fail(channel, "there is no memory to read it");
	if (archive_read_open2(untar.archive, &untar, NULL, read_index, skip_index, NULL) !=
	    ARCHIVE_OK)
		return fail_archive(&untar);
	while ((result = next_entry(&untar, &entry)) > 0)
		if (check_header(&untar, entry) < 0 || send_entry(&untar, entry) < 0)
			return -1;
	return result;
}

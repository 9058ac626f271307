/*
 * The tar reader, in the decoder: libarchive's, with the tar format alone and no filters
 * (IMAGES.md rule 7).
 */
#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#include "rootfs/decode/decoder.h"
#include "rootfs/decode/inflate.h"

struct untar {
	struct channel *channel;
	struct inflater *inflater; /* NULL: the stream is the input itself */
	struct archive *archive;
	uint64_t produced; /* bytes given to libarchive: the stream's length so far */
	uint64_t wanted;   /* index: offset of the next slot in the file */
	bool in_data;      /* data of an entry are being read: what they are in must stay */
	bool ended;
	unsigned char attributes[RECORD_MAX / 4 * 3];
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
	untar->produced += size;
	return size;
}

/*
 * libarchive's block before this one is done with: it copies what it still needs. Only data that
 * have been announced to the parent must stay.
 */
static ssize_t read_layer(struct archive *archive, void *context, const void **data)
{
	struct untar *untar = context;
	put_number(untar, RECORD_KEEP,
		   untar->in_data ? (uint64_t)archive_filter_bytes(archive, 0) : untar->produced);
	return next_slot(untar, data);
}

static ssize_t read_index(struct archive *archive, void *context, const void **data)
{
	struct untar *untar = context;
	(void)archive;
	ssize_t size = channel_ask(untar->channel, untar->wanted, (const unsigned char **)data);
	untar->wanted += size;
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
	return decoder_fail(untar->channel, "tar: %s", text ? text : "it is damaged");
}

static int add_attribute(struct untar *untar, uint32_t *used, const char *name, const void *value,
			 size_t size)
{
	struct attribute_record attribute = { strlen(name), size };
	size_t need = sizeof(attribute) + attribute.name_size + size;
	if (size > sizeof(untar->attributes) || need > sizeof(untar->attributes) - *used)
		return decoder_fail(untar->channel, "its attributes take more than %zu bytes",
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
	record.path_size = path ? strlen(path) : 0;
	record.link_size = target ? strlen(target) : 0;
	if (record.path_size > 8192 || record.link_size > 8192)
		return decoder_fail(untar->channel, "%.100s…: its name is longer than 4095 bytes",
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
	untar = (struct untar){ .channel = channel, .inflater = inflater, .archive = reader_new() };
	if (!untar.archive)
		return decoder_fail(channel, "there is no memory to read it");
	if (archive_read_open(untar.archive, &untar, NULL, read_layer, NULL) != ARCHIVE_OK)
		return fail_archive(&untar);
	if (each_entry(&untar) < 0)
		return -1;
	return drain(&untar);
}

int untar_index(struct channel *channel)
{
	static struct untar untar;
	struct archive_entry *entry;
	int result;
	untar = (struct untar){ .channel = channel, .archive = reader_new() };
	if (!untar.archive)
		return decoder_fail(channel, "there is no memory to read it");
	if (archive_read_open2(untar.archive, &untar, NULL, read_index, skip_index, NULL) !=
	    ARCHIVE_OK)
		return fail_archive(&untar);
	while ((result = next_entry(&untar, &entry)) > 0)
		if (send_entry(&untar, entry) < 0)
			return -1;
	return result;
}

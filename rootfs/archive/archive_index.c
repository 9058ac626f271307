/* An archive's index, read by a decoder: only names, sizes and places come back. */
#include "rootfs/archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rootfs/base/err.h"
#include "rootfs/decode/decoder.h"
#include "rootfs/decode/records.h"
#include "rootfs/base/scoped.h"

/* An image of 500 layers has some 2,000 members in the old format. */
enum { MEMBERS = 65536, NAME_BYTES = 4 << 20 };

static int nonsense(const struct archive *archive)
{
	return failx("%s: its decoder says what can't be true: it may be an attack", archive->path);
}

static struct member *new_member(struct archive *archive)
{
	if (archive->count == archive->room) {
		size_t room = archive->room ? 2 * archive->room : 32;
		struct member *grown = realloc(archive->members, room * sizeof(*grown));
		if (!grown)
			return NULL;
		archive->members = grown;
		archive->room = room;
	}
	archive->members[archive->count] = (struct member){ 0 };
	return &archive->members[archive->count];
}

static const char *strip(const char *name)
{
	while (*name == '/' || (name[0] == '.' && name[1] == '/'))
		name++;
	return name;
}

static char *copy(const unsigned char *from, size_t size)
{
	scoped_ptr char *text = malloc(size + 1);
	if (!text)
		return NULL;
	memcpy(text, from, size);
	text[size] = '\0';
	return strdup(strip(text));
}

static int add_member(struct archive *archive, const unsigned char *data, size_t size,
		      uint64_t whole)
{
	struct entry_record record;
	if (size < sizeof(record))
		return nonsense(archive);
	memcpy(&record, data, sizeof(record));
	if ((uint64_t)record.path_size + record.link_size > size - sizeof(record))
		return nonsense(archive);
	archive->name_bytes += record.path_size + record.link_size;
	if (archive->count == MEMBERS || archive->name_bytes > NAME_BYTES)
		return failx("%s: it has too many members for an image (more than %d)",
			     archive->path, MEMBERS);
	struct member *member = new_member(archive);
	const unsigned char *names = data + sizeof(record);
	if (!member || !(member->name = copy(names, record.path_size)) ||
	    (record.link_size &&
	     !(member->link = copy(names + record.path_size, record.link_size))))
		return fail("%s: read its index", archive->path);
	archive->count++;
	member->hard = record.hard_link;
	member->regular = S_ISREG(record.mode);
	member->sparse = record.sparse;
	if (!member->regular || member->link)
		return 0;
	member->offset = record.position;
	member->size = record.size;
	archive->cut = whole - record.position < (uint64_t)record.size + 512;
	if (member->sparse)
		return 0;
	if (record.size < 0 || record.position > whole ||
	    (uint64_t)record.size > whole - record.position)
		return failx("%s: it is truncated within %.700s", archive->path, member->name);
	return 0;
}

static int answer(struct archive *archive, struct channel *channel, const unsigned char *data,
		  size_t size, uint64_t whole)
{
	uint64_t offset;
	struct blob blob = { archive->file, 0, whole };
	if (size != sizeof(offset))
		return nonsense(archive);
	memcpy(&offset, data, sizeof(offset));
	channel->input_tail = channel->input_head;
	ssize_t got = blob_read(&blob, offset, channel_slot(channel), CHANNEL_SLOT);
	if (got < 0)
		return fail("read %s", archive->path);
	channel_answer(channel, got);
	return 0;
}

/* Returns 1 at the end. */
static int handle(struct archive *archive, struct channel *channel, const struct record *record,
		  unsigned char *data, uint64_t whole)
{
	switch (record->kind) {
	case RECORD_WANT:
		return answer(archive, channel, data, record->size, whole);
	case RECORD_ENTRY:
		return add_member(archive, data, record->size, whole);
	case RECORD_END:
		return 1;
	case RECORD_FAILED:
		data[record->size] = '\0';
		if (!archive->count)
			return failx("%s: it is not an archive", archive->path);
		return failx("%s: %.700s", archive->path, (const char *)data);
	}
	return nonsense(archive);
}

static int run(struct archive *archive, struct decoder *decoder, uint64_t whole)
{
	static unsigned char data[RECORD_MAX + 1];
	const unsigned char *output;
	struct record record;
	for (;;) {
		int got = channel_get(&decoder->channel, &record, data, RECORD_MAX);
		/* There is no output here: some that nobody takes would keep us awake for ever. */
		if (got < 0 || channel_fresh(&decoder->channel, &output))
			return nonsense(archive);
		if (got) {
			int result = handle(archive, &decoder->channel, &record, data, whole);
			if (result)
				return result < 0 ? -1 : 0;
			continue;
		}
		if (channel_may_sleep(&decoder->channel, false) && decoder_wait(decoder) < 0)
			return -1;
	}
}

int archive_index(struct archive *archive)
{
	struct stat st;
	struct decoder decoder;
	const struct decoder_task task = { .job = DECODE_INDEX, .window = DECODER_WINDOW };
	if (archive->dir >= 0)
		return 0;
	if (fstat(archive->file, &st) < 0)
		return fail("look at %s", archive->path);
	if (st.st_size == 0)
		return failx("%s: it is empty", archive->path);
	if (decoder_start(&decoder, &task) < 0)
		return -1;
	int result = run(archive, &decoder, st.st_size);
	decoder_stop(&decoder);
	return result;
}

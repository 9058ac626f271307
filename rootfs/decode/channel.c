#include "rootfs/decode/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

enum { DOWN_SIZE = 4096 + CHANNEL_INPUT, UP_SIZE = 4096 + CHANNEL_RECORDS + CHANNEL_OUTPUT };

/*
 * The one writable mapping is not inherited; the read-only one can't be made writable after the
 * seal.
 */
static int map_down(struct channel *channel)
{
	scoped_fd memory = memfd_create("wherry-input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory < 0 || ftruncate(memory, DOWN_SIZE) < 0)
		return fail("make shared memory for the decoder");
	void *writable = mmap(NULL, DOWN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (writable == MAP_FAILED)
		return fail("map shared memory for the decoder");
	channel->down = writable;
	if (madvise(writable, DOWN_SIZE, MADV_DONTFORK) < 0 ||
	    fcntl(memory, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		return fail("seal shared memory for the decoder");
	void *readable = mmap(NULL, DOWN_SIZE, PROT_READ, MAP_SHARED, memory, 0);
	if (readable == MAP_FAILED)
		return fail("map shared memory for the decoder");
	channel->below = readable;
	return 0;
}

int channel_create(struct channel *channel)
{
	*channel = (struct channel){ .wake_parent = -1, .wake_child = -1, .worth = CHANNEL_SLOT };
	channel->wake_parent = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	channel->wake_child = eventfd(0, EFD_CLOEXEC);
	if (channel->wake_parent < 0 || channel->wake_child < 0)
		return fail("make an eventfd");
	/* Without a file behind it nobody can truncate it under the parent's feet. */
	void *up = mmap(NULL, UP_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (up == MAP_FAILED)
		return fail("map shared memory for the decoder");
	channel->up = up;
	return map_down(channel);
}

void channel_destroy(struct channel *channel)
{
	if (channel->down)
		munmap(channel->down, DOWN_SIZE);
	if (channel->below)
		munmap((void *)channel->below, DOWN_SIZE);
	if (channel->up)
		munmap(channel->up, UP_SIZE);
	scoped_close(&channel->wake_parent);
	scoped_close(&channel->wake_child);
	*channel = (struct channel){ .wake_parent = -1, .wake_child = -1 };
}

void channel_be_parent(struct channel *channel)
{
	mprotect(channel->up, UP_SIZE, PROT_READ);
}

void channel_be_child(struct channel *channel)
{
	channel->down = NULL;
}

static void copy_in(unsigned char *ring, uint64_t at, const void *data, size_t size)
{
	size_t place = at % CHANNEL_RECORDS, first = CHANNEL_RECORDS - place;
	if (first > size)
		first = size;
	memcpy(ring + place, data, first);
	memcpy(ring, (const char *)data + first, size - first);
}

static void copy_out(void *data, const unsigned char *ring, uint64_t at, size_t size)
{
	size_t place = at % CHANNEL_RECORDS, first = CHANNEL_RECORDS - place;
	if (first > size)
		first = size;
	memcpy(data, ring + place, first);
	memcpy((char *)data + first, ring, size - first);
}

static void wake(int eventfd)
{
	const uint64_t one = 1;
	/* It can only fail where the counter is full, and then the other side has been woken. */
	if (write(eventfd, &one, sizeof(one)) < 0)
		return;
}

/*
 * Who is about to sleep says so, looks again, then sleeps; who has moved a cursor looks whether the
 * other sleeps. Both look after a full barrier, so one of them sees the other. To save switches, a
 * cursor's move wakes the other side only from half a ring on; before it sleeps itself each side
 * wakes it in any case.
 */

static void wake_parent(struct channel *channel)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load(&channel->below->sleeps))
		wake(channel->wake_parent);
}

static void wake_parent_if_worth(struct channel *channel)
{
	const struct down *down = channel->below;
	uint64_t input = atomic_load(&down->input_head) - channel->input_tail;
	uint64_t output = channel->output_head - atomic_load(&down->output_tail);
	if ((input <= CHANNEL_INPUT / 2 && !atomic_load(&down->input_end)) ||
	    output >= CHANNEL_OUTPUT / 2)
		wake_parent(channel);
}

static void child_sleep(struct channel *channel)
{
	uint64_t count;
	wake_parent(channel);
	while (read(channel->wake_child, &count, sizeof(count)) < 0)
		if (errno != EINTR)
			_exit(1);
	atomic_store(&channel->up->sleeps, 0);
}

#define CHILD_WAIT(channel, condition) do { \
	while (!(condition)) { \
		atomic_store(&(channel)->up->sleeps, 1); \
		atomic_thread_fence(memory_order_seq_cst); \
		if (condition) { \
			atomic_store(&(channel)->up->sleeps, 0); \
			break; \
		} \
		child_sleep(channel); \
	} \
} while (0)

size_t channel_take(struct channel *channel, uint64_t from, const unsigned char **data)
{
	const struct down *down = channel->below;
	CHILD_WAIT(channel, atomic_load(&down->input_end) ||
		   atomic_load(&down->input_head) - from >= CHANNEL_SLOT);
	uint64_t there = atomic_load(&down->input_head) - from;
	size_t place = from % CHANNEL_INPUT, size = CHANNEL_INPUT - place;
	if (size > CHANNEL_SLOT)
		size = CHANNEL_SLOT;
	*data = channel_input(channel) + place;
	return there < size ? there : size;
}

void channel_taken(struct channel *channel, uint64_t until)
{
	channel->input_tail = until;
	atomic_store_explicit(&channel->up->input_tail, until, memory_order_release);
	wake_parent_if_worth(channel);
}

unsigned char *channel_room(struct channel *channel)
{
	const struct down *down = channel->below;
	CHILD_WAIT(channel, channel->output_head + CHANNEL_SLOT - atomic_load(&down->output_tail) <=
		   CHANNEL_OUTPUT);
	return channel_output(channel) + channel->output_head % CHANNEL_OUTPUT;
}

void channel_made(struct channel *channel, size_t size)
{
	channel->output_head += size;
	atomic_store_explicit(&channel->up->output_head, channel->output_head,
			      memory_order_release);
	wake_parent_if_worth(channel);
}

void channel_put(struct channel *channel, enum record_kind kind, const struct piece *pieces,
		 int count)
{
	struct record record = { kind, 0 };
	uint64_t head = channel->record_head;
	for (int i = 0; i < count; i++)
		record.size += pieces[i].size;
	CHILD_WAIT(channel, head + sizeof(record) + record.size -
		   atomic_load(&channel->below->record_tail) <= CHANNEL_RECORDS);
	copy_in(channel_records(channel), head, &record, sizeof(record));
	head += sizeof(record);
	for (int i = 0; i < count; i++) {
		if (!pieces[i].size)
			continue;
		copy_in(channel_records(channel), head, pieces[i].data, pieces[i].size);
		head += pieces[i].size;
	}
	channel->record_head = head;
	atomic_store_explicit(&channel->up->record_head, head, memory_order_release);
	if (kind == RECORD_END || kind == RECORD_FAILED)
		wake_parent(channel);
}

int channel_fail(struct channel *channel, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	struct piece piece = { text, strlen(text) };
	channel_put(channel, RECORD_FAILED, &piece, 1);
	return -1;
}

size_t channel_ask(struct channel *channel, uint64_t offset, const unsigned char **data)
{
	uint64_t before = channel->input_head;
	struct piece piece = { &offset, sizeof(offset) };
	channel_put(channel, RECORD_WANT, &piece, 1);
	CHILD_WAIT(channel, atomic_load(&channel->below->input_head) != before);
	channel->input_head = atomic_load(&channel->below->input_head);
	*data = channel_input(channel) + before % CHANNEL_INPUT;
	return atomic_load(&channel->below->answer);
}

void channel_nudge(struct channel *channel)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load(&channel->up->sleeps))
		wake(channel->wake_child);
}

unsigned char *channel_slot(struct channel *channel)
{
	if (channel->input_head - channel->input_tail > CHANNEL_INPUT - CHANNEL_SLOT)
		return NULL;
	return (unsigned char *)channel->down + 4096 + channel->input_head % CHANNEL_INPUT;
}

void channel_give(struct channel *channel, size_t size)
{
	uint64_t before = channel->input_head - channel->input_tail;
	channel->input_head += size;
	atomic_store_explicit(&channel->down->input_head, channel->input_head,
			      memory_order_release);
	if (before < channel->worth && before + size >= channel->worth)
		channel_nudge(channel);
}

void channel_end(struct channel *channel)
{
	atomic_store(&channel->down->input_end, 1);
	channel_nudge(channel);
}

void channel_answer(struct channel *channel, size_t size)
{
	atomic_store(&channel->down->answer, size);
	channel->input_tail = channel->input_head;
	channel->input_head += CHANNEL_SLOT;
	atomic_store_explicit(&channel->down->input_head, channel->input_head,
			      memory_order_release);
	channel_nudge(channel);
}

int channel_update_input(struct channel *channel)
{
	uint64_t tail = atomic_load_explicit(&channel->up->input_tail, memory_order_acquire);
	if (tail < channel->input_tail || tail > channel->input_head)
		return -1;
	channel->input_tail = tail;
	return 0;
}

static bool has_come(const struct channel *channel, bool wants_room)
{
	const struct up *up = channel->up;
	return atomic_load(&up->record_head) != channel->record_tail ||
	       atomic_load(&up->output_head) != channel->output_head ||
	       (wants_room && atomic_load(&up->input_tail) > channel->input_tail);
}

bool channel_may_sleep(struct channel *channel, bool wants_room)
{
	atomic_store(&channel->down->sleeps, 1);
	channel_nudge(channel);
	if (!has_come(channel, wants_room))
		return true;
	atomic_store(&channel->down->sleeps, 0);
	return false;
}

int channel_get(struct channel *channel, struct record *record, void *buffer, size_t size)
{
	uint64_t head = atomic_load_explicit(&channel->up->record_head, memory_order_acquire);
	uint64_t there = head - channel->record_tail;
	if (!there)
		return 0;
	if (there > CHANNEL_RECORDS || there < sizeof(*record))
		return -1;
	copy_out(record, channel_records(channel), channel->record_tail, sizeof(*record));
	if (record->size > there - sizeof(*record) || record->size > size)
		return -1;
	copy_out(buffer, channel_records(channel), channel->record_tail + sizeof(*record),
		 record->size);
	channel->record_tail += sizeof(*record) + record->size;
	atomic_store_explicit(&channel->down->record_tail, channel->record_tail,
			      memory_order_release);
	return 1;
}

ssize_t channel_fresh(struct channel *channel, const unsigned char **data)
{
	uint64_t head = atomic_load_explicit(&channel->up->output_head, memory_order_acquire);
	uint64_t fresh = head - channel->output_head;
	if (head - channel->output_tail > CHANNEL_OUTPUT || fresh > CHANNEL_OUTPUT)
		return -1;
	size_t place = channel->output_head % CHANNEL_OUTPUT, size = CHANNEL_OUTPUT - place;
	if (fresh > size)
		fresh = size;
	*data = channel_output(channel) + place;
	channel->output_head += fresh;
	return (ssize_t)fresh;
}

void channel_release_output(struct channel *channel, uint64_t until)
{
	channel->output_tail = until;
	atomic_store_explicit(&channel->down->output_tail, until, memory_order_release);
	if (channel->output_head - until <= CHANNEL_OUTPUT / 2)
		channel_nudge(channel);
}

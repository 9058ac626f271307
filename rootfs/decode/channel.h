/*
 * Shared memory between a parent that writes files and a child that decodes bytes.
 *
 * Down go bytes (the blob), up go bytes (what comes out of the decompressor) and records that say
 * what the bytes are. Each of the three is a ring: a head that its writer moves, a tail that its
 * reader moves, both counting from 0 and never wrapping. The child can't write what the parent
 * writes: it never has a writable mapping of it and can't make one (a memfd sealed against future
 * writes, Linux 5.1). Everything that the child writes may be a lie at any time: the parent copies
 * a record before it looks at it, and checks every number.
 */
#ifndef ROOTFS_DECODE_CHANNEL_H
#define ROOTFS_DECODE_CHANNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	CHANNEL_SLOT = 64 << 10,    /* what bytes come and go in; a multiple of a tar block */
	CHANNEL_INPUT = 8 * CHANNEL_SLOT,  /* four: 6 % more time for one layer, 512 KB less for two */
	CHANNEL_OUTPUT = 4 * CHANNEL_SLOT, /* eight: no less time */
	CHANNEL_RECORDS = 128 << 10,
	RECORD_MAX = 96 << 10,      /* payload of one record */
};

/* Written by the parent. */
struct down {
	_Atomic uint64_t input_head;
	_Atomic uint64_t output_tail;
	_Atomic uint64_t record_tail;
	_Atomic uint32_t input_end;   /* no more will come */
	_Atomic uint32_t answer;      /* bytes of the last answer to a RECORD_WANT */
	_Atomic uint32_t sleeps;      /* the parent waits for a wake-up */
};

/* Written by the child. */
struct up {
	_Atomic uint64_t input_tail;
	_Atomic uint64_t output_head;
	_Atomic uint64_t record_head;
	_Atomic uint32_t sleeps;
};

struct channel {
	struct down *down;          /* writable in the parent, not there in the child */
	const struct down *below;   /* the same, read-only, in both */
	struct up *up;              /* writable in both until the parent gives that up */
	int wake_parent, wake_child; /* eventfd(2) */
	uint64_t worth; /* bytes of input that the child is woken for */
	/* Cursors of one's own side; the other side's copies of them are for its information. */
	uint64_t input_head, input_tail, output_head, output_tail, record_head, record_tail;
};

static inline unsigned char *channel_input(const struct channel *channel)
{
	return (unsigned char *)channel->below + 4096;
}

static inline unsigned char *channel_output(const struct channel *channel)
{
	return (unsigned char *)channel->up + 4096 + CHANNEL_RECORDS;
}

static inline unsigned char *channel_records(const struct channel *channel)
{
	return (unsigned char *)channel->up + 4096;
}

/* Before the fork. Returns 0, or -1 with a failure. */
int channel_create(struct channel *);
void channel_destroy(struct channel *);

/* After the fork, in each process. */
void channel_be_parent(struct channel *);
void channel_be_child(struct channel *);

/* What a record's payload is. */
enum record_kind {
	RECORD_ENTRY = 1, /* struct entry_record and its strings */
	RECORD_DATA,      /* struct data_record: bytes of the entry before it */
	RECORD_KEEP,      /* uint64_t: bytes of the stream before this one aren't needed any more */
	RECORD_TAIL,      /* uint64_t: the archive's end is at this byte of the stream */
	RECORD_WANT,      /* uint64_t: the index reader asks for this offset of the file */
	RECORD_END,       /* all went well */
	RECORD_FAILED,    /* text: why it did not */
};

struct record {
	uint32_t kind;
	uint32_t size; /* of the payload that follows */
};

/* A piece of a record's payload: what the child sends is gathered from several. */
struct piece {
	const void *data;
	size_t size;
};

/* Child. All of them wait where they must. */

/* Bytes at offset FROM of the input, at least one slot unless the end is near; 0: the end. */
size_t channel_take(struct channel *, uint64_t from, const unsigned char **data);
/* Bytes of the input before this one may be overwritten. */
void channel_taken(struct channel *, uint64_t until);
/* Room for a whole slot of output. */
unsigned char *channel_room(struct channel *);
void channel_made(struct channel *, size_t size);
void channel_put(struct channel *, enum record_kind, const struct piece *, int count);
/* Says why the decoder gives up: RECORD_FAILED. Returns -1. */
int channel_fail(struct channel *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Asks for the slot at OFFSET of the file; returns the size of the answer, 0: the end. */
size_t channel_ask(struct channel *, uint64_t offset, const unsigned char **data);

/* Parent. None of them waits. */

/* Room for a whole slot of input, NULL: there is none. */
unsigned char *channel_slot(struct channel *);
void channel_give(struct channel *, size_t size);
void channel_end(struct channel *);
void channel_answer(struct channel *, size_t size);
/* Wakes the child if it sleeps. */
void channel_nudge(struct channel *);
/* Learns how much of the input the child has done with; -1: its count can't be true. */
int channel_update_input(struct channel *);
/*
 * Says that the parent is about to sleep, and wakes the child. Returns false where something has
 * come: then it must not sleep. WANTS_ROOM: room for input counts as something.
 */
bool channel_may_sleep(struct channel *, bool wants_room);
/*
 * Copies the next record's payload, at most SIZE bytes, to BUFFER. Returns 1; 0: there is none yet;
 * -1: what is there is no record.
 */
int channel_get(struct channel *, struct record *, void *buffer, size_t size);
/* Bytes of output that have come since; -1: the child's count can't be true. */
ssize_t channel_fresh(struct channel *, const unsigned char **data);
void channel_release_output(struct channel *, uint64_t until);

#endif

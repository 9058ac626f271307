#include "launcher/supervise/idle.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/supervise/idle_arch.h"

/* A container that has ended by then has paid nothing for this. */
enum { SOON = 1000 /* ms */ };

/*
 * STACK: as far below the stack pointer dead pages are looked for; the kernel keeps other mappings 128 MiB
 * away (mmap_base, arch/x86/mm/mmap.c and its kin). FRAME: more than rest() has of it itself.
 */
enum { RANGES_MAX = 8, STACK = 1 << 20, FRAME = 512 };

struct range {
	uintptr_t start, end;
};

/* What can be done without for a while. */
struct idle {
	struct range again[RANGES_MAX]; /* read again from the file, or dead; at last RELOCATED */
	size_t count;
	struct range relocated; /* written when the program started, and never since (rootfs/base/relro.c) */
	uintptr_t base;         /* where the program lies */
	const idle_relocation *relocations, *relocations_end;
};

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* As the start-up code of a static PIE does it, for one range of addresses. */
IDLE_INLINE void relocate(const struct idle *idle)
{
	for (const idle_relocation *at = idle->relocations; at < idle->relocations_end; at++) {
		uintptr_t place = idle->base + at->r_offset;
		if (IDLE_TYPE(at->r_info) != IDLE_RELATIVE || place < idle->relocated.start ||
		    place >= idle->relocated.end)
			continue;
		*(uintptr_t *)place = idle->base + IDLE_ADDEND(at, (uintptr_t *)place);
	}
}

/*
 * From its first madvise on, this code is all that is resident of the program, and what was relocated is
 * not: it calls nothing and reads nothing but its stack, as a stack protector would. Smaller than what it
 * is aligned to, it lies in one page.
 */
__attribute__((noinline, section(".text.idle"), aligned(1024), no_stack_protector))
static int rest(struct pollfd *waits, nfds_t count, const struct idle *idle)
{
	long last = -1;
	for (size_t i = 0; i < idle->count; i++)
		last = idle_call(SYS_madvise, (long)idle->again[i].start,
				 (long)(idle->again[i].end - idle->again[i].start), MADV_DONTNEED, 0, 0);
	int r = (int)idle_call(SYS_ppoll, (long)waits, (long)count, 0, 0, 0);
	if (last == 0)
		relocate(idle);
	return r;
}

static void add(struct idle *idle, uintptr_t start, uintptr_t end)
{
	if (start < end && idle->count < RANGES_MAX)
		idle->again[idle->count++] = (struct range){ start, end };
}

static void find_relocations(struct idle *idle, const ElfW(Dyn) *dynamic)
{
	uintptr_t size = 0;
	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == IDLE_TABLE)
			idle->relocations = (const void *)(idle->base + dynamic->d_un.d_ptr);
		if (dynamic->d_tag == IDLE_TABLE_SIZE)
			size = dynamic->d_un.d_val;
	}
	idle->relocations_end = idle->relocations + size / sizeof(*idle->relocations);
}

static void find(struct idle *idle, uintptr_t page)
{
	const ElfW(Phdr) *header = (const void *)getauxval(AT_PHDR);
	idle->base = (uintptr_t)&__ehdr_start;
	for (unsigned long n = getauxval(AT_PHNUM); n > 0; n--, header++) {
		uintptr_t start = idle->base + header->p_vaddr, end = start + header->p_memsz;
		if (header->p_type == PT_LOAD && !(header->p_flags & PF_W))
			add(idle, start & -page, (end + page - 1) & -page);
		if (header->p_type == PT_GNU_RELRO)
			idle->relocated = (struct range){ start & -page, end & -page };
		if (header->p_type == PT_DYNAMIC)
			find_relocations(idle, (const void *)start);
	}
}

/* Writable beforehand: afterwards there would be no way back where the kernel had no memory for it. */
static void give_relocated(struct idle *idle)
{
	struct range pages = idle->relocated;
	if (idle->relocations && pages.start < pages.end && idle->count < RANGES_MAX &&
	    mprotect((void *)pages.start, pages.end - pages.start, PROT_READ | PROT_WRITE) == 0)
		add(idle, pages.start, pages.end);
	else
		idle->relocations = idle->relocations_end = NULL;
}

static int rest_long(struct pollfd *waits, nfds_t count)
{
	struct idle idle = { .count = 0 };
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t stack = ((uintptr_t)__builtin_frame_address(0) - sizeof(idle) - FRAME) & -page;
	/* A fault maps up to 64 KiB around a missing page, but not beyond a mapping, which this makes. */
	madvise((void *)((uintptr_t)rest & -page), page, MADV_DONTDUMP);
	add(&idle, stack - STACK, stack);
	find(&idle, page);
	give_relocated(&idle);
	int r = rest(waits, count, &idle);
	if (idle.relocations)
		mprotect((void *)idle.relocated.start, idle.relocated.end - idle.relocated.start, PROT_READ);
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

int idle_poll(struct pollfd *waits, nfds_t count)
{
	int r = poll(waits, count, SOON);
	return r ? r : rest_long(waits, count);
}

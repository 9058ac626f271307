/*
 * ARM before version 6K has no 64-bit load or store that is one: the compiler calls these. The kernel
 * lends a compare-and-swap to every process (Documentation/arch/arm/kernel_user_helpers.rst, Linux 3.1),
 * which libgcc wraps; GNU's libatomic would bring threads along.
 */
#if defined(__arm__) && __ARM_ARCH < 7

#include <stdint.h>

/* No position in a stream gets here. Where memory is read-only for us nothing may be written to it. */
#define NEVER UINT64_MAX

uint64_t atomic_load_8(const volatile void *from, int order) __asm__("__atomic_load_8");
void atomic_store_8(volatile void *to, uint64_t value, int order) __asm__("__atomic_store_8");

uint64_t atomic_load_8(const volatile void *from, int order)
{
	(void)order; /* always the strongest */
	return __sync_val_compare_and_swap((volatile uint64_t *)from, NEVER, NEVER);
}

void atomic_store_8(volatile void *to, uint64_t value, int order)
{
	uint64_t before = atomic_load_8(to, order), seen;
	while ((seen = __sync_val_compare_and_swap((volatile uint64_t *)to, before, value)) != before)
		before = seen;
}

#else
typedef int not_empty; /* ISO C wants something in a file */
#endif

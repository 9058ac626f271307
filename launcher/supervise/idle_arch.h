/*
 * What waiting in one page of code needs of each processor: idle_call(), a system call that touches no
 * memory but its arguments (a function of the libc's would lie in another page) and returns -errno; and
 * how relocations look.
 */
#ifndef LAUNCHER_SUPERVISE_IDLE_ARCH_H
#define LAUNCHER_SUPERVISE_IDLE_ARCH_H

#include <elf.h>
#include <link.h>

#define IDLE_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)

#define IDLE_RELATIVE R_X86_64_RELATIVE

IDLE_INLINE long idle_call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;
	__asm__ volatile("syscall" : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

#define IDLE_RELATIVE R_AARCH64_RELATIVE

IDLE_INLINE long idle_call(long number, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	__asm__ volatile("svc #0" : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}

#elif defined(__arm__)

#define IDLE_RELATIVE R_ARM_RELATIVE

/* r7 may be the frame pointer of Thumb code, which the compiler doesn't give away: saved by hand. */
IDLE_INLINE long idle_call(long number, long a, long b, long c, long d, long e)
{
	register long r0 __asm__("r0") = a;
	register long r1 __asm__("r1") = b;
	register long r2 __asm__("r2") = c;
	register long r3 __asm__("r3") = d;
	register long r4 __asm__("r4") = e;
	long saved;
	__asm__ volatile("mov %1, r7\n\tmov r7, %2\n\tsvc #0\n\tmov r7, %1"
			 : "+r"(r0), "=&r"(saved)
			 : "r"(number), "r"(r1), "r"(r2), "r"(r3), "r"(r4) : "memory");
	return r0;
}

#elif defined(__riscv)

#define IDLE_RELATIVE R_RISCV_RELATIVE

IDLE_INLINE long idle_call(long number, long a, long b, long c, long d, long e)
{
	register long a7 __asm__("a7") = number;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	__asm__ volatile("ecall" : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4) : "memory");
	return a0;
}

#else
#error "no system calls for this architecture"
#endif

/* What is added to where the program lies is in the relocation, or, on 32-bit ARM, in its place. */
#ifdef __arm__
typedef ElfW(Rel) idle_relocation;
enum { IDLE_TABLE = DT_REL, IDLE_TABLE_SIZE = DT_RELSZ };
#define IDLE_ADDEND(relocation, place) (*(place))
#else
typedef ElfW(Rela) idle_relocation;
enum { IDLE_TABLE = DT_RELA, IDLE_TABLE_SIZE = DT_RELASZ };
#define IDLE_ADDEND(relocation, place) ((uintptr_t)(relocation)->r_addend)
#endif

/* How elf.h parts a relocation's type from its symbol. */
#if __SIZEOF_POINTER__ == 8
#define IDLE_TYPE ELF64_R_TYPE
#else
#define IDLE_TYPE ELF32_R_TYPE
#endif

#endif

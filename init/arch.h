/*
 * What differs between processors: how the kernel is called, where a program begins,
 * and vfork(2), which a compiler may not see through: the child returns first, on
 * the stack that its parent goes on with.
 *
 * Each architecture gives syscall5() and its shorter kin, the symbol _start, which hands the initial stack
 * to init_start(), and the symbol sys_vfork.
 */
#ifndef INIT_ARCH_H
#define INIT_ARCH_H

/* The text of a function in assembly; _start and sys_vfork are emitted by start.c alone. */
#define ARCH_TEXT(name, body) \
	__asm__(".section .text." #name ",\"ax\",%progbits\n.global " #name "\n" \
		".type " #name ",%function\n" ARCH_MODE #name ":\n" body \
		".size " #name ",.-" #name "\n.previous\n")

#if defined(__x86_64__)

#define ARCH_MODE ""
#define ARCH_START "xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call init_start\n"
/* The return address leaves the stack before the child can write over it. */
#define ARCH_VFORK "pop %rdx\n mov $58,%eax\n syscall\n push %rdx\n ret\n"

/*
 * Macros, since the kernel doesn't look at the upper half of an int: it need not be extended.
 * Each names the registers that it uses and no others, which is shorter.
 */
#define ARCH_CALL(number, ...) ({ \
	long result_; \
	__asm__ volatile("syscall" : "=a"(result_) : "a"(number), __VA_ARGS__ \
			 : "rcx", "r11", "memory"); \
	result_; \
})
#define syscall1(number, a) ARCH_CALL(number, "D"(a))
#define syscall2(number, a, b) ARCH_CALL(number, "D"(a), "S"(b))
#define syscall3(number, a, b, c) ARCH_CALL(number, "D"(a), "S"(b), "d"(c))
#define syscall4(number, a, b, c, d) ({ \
	register __typeof__((d) + 0) r10_ __asm__("r10") = (d); \
	ARCH_CALL(number, "D"(a), "S"(b), "d"(c), "r"(r10_)); \
})
#define syscall5(number, a, b, c, d, e) ({ \
	register __typeof__((e) + 0) r8_ __asm__("r8") = (e); \
	register __typeof__((d) + 0) r10_ __asm__("r10") = (d); \
	ARCH_CALL(number, "D"(a), "S"(b), "d"(c), "r"(r10_), "r"(r8_)); \
})

/* To one of the processor's ports; others than x86 have none. */
static inline void arch_out(int port, int byte)
{
	if (syscall1(172, 3) == 0) /* iopl(2) */
		__asm__ volatile("outb %b0, %w1" : : "a"(byte), "d"(port));
}

#elif defined(__aarch64__)

#define ARCH_MODE ""
#define ARCH_START "mov x29,#0\n mov x30,#0\n mov x0,sp\n bl init_start\n"
#define ARCH_VFORK "mov x8,#220\n mov x0,#0x4111\n mov x1,#0\n svc #0\n ret\n"

static inline long syscall5(long number, long a, long b, long c, long d, long e)
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

#define ARCH_MODE ".arm\n.balign 4\n"
#define ARCH_START "mov fp,#0\n mov lr,#0\n mov r0,sp\n bic sp,sp,#7\n bl init_start\n"
#define ARCH_VFORK "mov ip,r7\n mov r7,#190\n svc #0\n mov r7,ip\n bx lr\n"

/* r7 is saved by hand: in Thumb code it may be the frame pointer. */
static inline long syscall5(long number, long a, long b, long c, long d, long e)
{
	register long r0 __asm__("r0") = a;
	register long r1 __asm__("r1") = b;
	register long r2 __asm__("r2") = c;
	register long r3 __asm__("r3") = d;
	register long r4 __asm__("r4") = e;
	long saved;

	__asm__ volatile("mov %1,r7\n mov r7,%2\n svc #0\n mov r7,%1"
			 : "+r"(r0), "=&r"(saved)
			 : "r"(number), "r"(r1), "r"(r2), "r"(r3), "r"(r4) : "memory");
	return r0;
}

#elif defined(__riscv) && __riscv_xlen == 64

#define ARCH_MODE ""
#define ARCH_START ".option push\n .option norelax\n la gp,__global_pointer$\n .option pop\n" \
	"mv a0,sp\n andi sp,sp,-16\n call init_start\n"
#define ARCH_VFORK "li a7,220\n li a0,0x4111\n li a1,0\n ecall\n ret\n"

static inline long syscall5(long number, long a, long b, long c, long d, long e)
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

#ifndef __x86_64__
/* An argument that the kernel doesn't read: whatever the register holds. */
static inline long unread(void)
{
	long value;

	__asm__("" : "=r"(value));
	return value;
}

#define syscall4(number, a, b, c, d) syscall5(number, a, b, c, d, unread())
#define syscall3(number, a, b, c) syscall4(number, a, b, c, unread())
#define syscall2(number, a, b) syscall3(number, a, b, unread())
#define syscall1(number, a) syscall2(number, a, unread())

static inline void arch_out(int port, int byte)
{
	(void)port;
	(void)byte;
}
#endif

#endif

/* Which system calls the program may make: a profile, as a filter in the kernel. */
#ifndef LAUNCHER_SECCOMP_SECCOMP_H
#define LAUNCHER_SECCOMP_SECCOMP_H

#include <linux/filter.h>
#include <stdint.h>

/* Zero is none. */
struct seccomp {
	const struct sock_filter *filter;
	unsigned short length; /* instructions */
	unsigned flags;        /* SECCOMP_FILTER_FLAG_… */
};

/* What --security-opt seccomp= says where it names no file; NULL is docker's default profile too. */
#define SECCOMP_UNCONFINED "unconfined"
#define SECCOMP_BUILTIN "builtin"

/*
 * The filter that PROFILE, the path of a file in docker's format or one of the words above, stands for
 * where a program may have CAPS. It lasts as long as the process. Returns -1 with a failure.
 */
int seccomp_prepare(struct seccomp *, const char *profile, uint64_t caps);

/*
 * From here on the calling process and all that it starts are filtered. It has to have CAP_SYS_ADMIN in its
 * user namespace, or no_new_privs, seccomp(2).
 */
int seccomp_install(const struct seccomp *);

#endif

/*
 * Descriptors and memory that are given back where their variable's block ends.
 *
 *	scoped_fd dir = open(path, O_DIRECTORY | O_CLOEXEC);
 *	if (dir < 0)
 *		return fail("open %s", path);
 *	...
 *	return take_fd(&dir);	// hands it over: the block no longer closes it
 *
 * A scoped variable is initialised on the line that declares it.
 */
#ifndef ROOTFS_BASE_SCOPED_H
#define ROOTFS_BASE_SCOPED_H

#include <stdlib.h>
#include <unistd.h>

static inline void scoped_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void scoped_free(void *pointer)
{
	free(*(void **)pointer);
}

#define scoped_fd __attribute__((cleanup(scoped_close))) int
#define scoped_ptr __attribute__((cleanup(scoped_free)))

static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

#define take_ptr(p) ({ __typeof__(*(p)) taken_ = *(p); *(p) = NULL; taken_; })

#endif

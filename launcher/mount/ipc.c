#include "launcher/mount/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "rootfs/base/child.h"
#include "rootfs/base/sys.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/userns.h"

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202 /* ipc/mqueue.c */
#endif

const char *const ipc_directories[IPC_DIRECTORIES] = { "/dev/shm", "/dev/mqueue" };

struct take {
	struct ipc *ipc;
	const char *name;
	int init; /* the pidfd of the other container's first process */
};

static int explain(const char *name)
{
	int error = errno;
	fail("--ipc container:%s: enter its namespaces", name);
	if (error == EPERM && userns_inside())
		return hint("without root each container is in a user namespace of its own, which keeps others out");
	return -1;
}

/* Who may mount there could hand us his /proc in place of his /dev/shm, with nothing of it hidden. */
static int check_type(int tree, const char *name, const char *directory)
{
	struct statfs system;
	if (fstatfs(tree, &system) < 0)
		return fail("--ipc container:%s: look at its %s", name, directory);
	if (system.f_type != TMPFS_MAGIC && system.f_type != MQUEUE_MAGIC)
		return failx("--ipc container:%s: its %s is something else", name, directory);
	return 0;
}

/*
 * A directory of the other container's, found from its own root: a path that its programs have changed
 * leads nowhere but into it.
 */
static int take_directories(void *argument)
{
	struct take *take = argument;
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
	if (setns(take->init, CLONE_NEWNS) < 0)
		return explain(take->name);
	for (int i = 0; i < IPC_DIRECTORIES; i++) {
		take->ipc->trees[i] = sys_open_tree(AT_FDCWD, ipc_directories[i], flags);
		if (take->ipc->trees[i] < 0 && errno != ENOENT) /* a kernel without message queues */
			return fail("--ipc container:%s: take its %s", take->name, ipc_directories[i]);
		if (take->ipc->trees[i] >= 0 && check_type(take->ipc->trees[i], take->name, ipc_directories[i]) < 0)
			return -1;
	}
	return 0;
}

int ipc_join(struct ipc *ipc, const char *name, int init, uint32_t other, uint32_t root)
{
	struct take take = { ipc, name, init };
	/* A tmpfs takes no files of ids that its user namespace does not have: EOVERFLOW. */
	if (other && other != root) {
		failx("--ipc container:%s: its user namespace has other ids", name);
		return hint("both want the same --userns");
	}
	/* setns(2) with a pidfd: Linux 5.8 */
	if (setns(init, CLONE_NEWIPC) < 0)
		return explain(name);
	return child_vfork(0, take_directories, &take);
}

void ipc_close(struct ipc *ipc)
{
	for (int i = 0; i < IPC_DIRECTORIES; i++)
		if (ipc->trees[i] >= 0)
			close(take_fd(&ipc->trees[i]));
}

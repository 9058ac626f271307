#include "launcher/mount/binds.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "launcher/mount/files.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/err.h"

static int take(struct taken *taken, const char *source, const char *target, unsigned long flags)
{
	if (taken->count == TAKEN_MAX)
		return failx("more than %d volumes", TAKEN_MAX);
	return mounts_take(&taken->at[taken->count++], source, target, flags);
}

/* docker-run(1): a directory of the host's that -v names and that is not there is made. */
static int take_volume(struct taken *taken, const struct mount *mount)
{
	if (mount->create && access(mount->source, F_OK) < 0 && errno == ENOENT &&
	    mounts_target(mount->source, true) < 0)
		return -1;
	if (take(taken, mount->source, mount->target,
		 (mount->flags & MS_RDONLY) | (mount->alone ? 0 : MS_REC)) < 0)
		return -1;
	taken->at[taken->count - 1].propagation =
		mount->propagation ? mount->propagation : MS_PRIVATE | MS_REC;
	return 0;
}

int taken_volumes(struct taken *taken, const struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (spec->mounts[i].kind == MOUNT_BIND && take_volume(taken, &spec->mounts[i]) < 0)
			return -1;
	return 0;
}

/* With --ipc host they are the host's own, as far as it has them. */
static int take_host_ipc(struct taken *taken)
{
	for (int i = 0; i < IPC_DIRECTORIES; i++)
		if (access(ipc_directories[i], F_OK) == 0 &&
		    take(taken, ipc_directories[i], ipc_directories[i], MS_REC) < 0)
			return -1;
	return 0;
}

/* With --ipc container: they are that one's, and have been taken there. */
static void take_ipc(struct taken *taken, struct ipc *ipc)
{
	for (int i = 0; i < IPC_DIRECTORIES; i++)
		if (ipc->trees[i] >= 0)
			taken->at[taken->count++] = (struct source_mount){
				.tree = take_fd(&ipc->trees[i]),
				.target = ipc_directories[i],
				.directory = true,
			};
}

/* The host's network is not a user namespace's to show: sysfs cannot be mounted anew there. */
bool taken_borrows_sys(const struct spec *spec)
{
	return (spec->root.unprivileged || spec_is_mapped(spec)) && spec->network == NETWORK_HOST;
}

int taken_own(struct taken *taken, const struct spec *spec, struct ipc *ipc)
{
	if (files_write(spec) < 0)
		return -1;
	for (int i = 0; i < FILES_COUNT; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", spec->root.staging, own_files[i].name);
		if (take(taken, path, own_files[i].target, MS_REC) < 0)
			return -1;
	}
	if (spec->ipc == IPC_HOST && take_host_ipc(taken) < 0)
		return -1;
	take_ipc(taken, ipc);
	if (taken_borrows_sys(spec) && take(taken, "/sys", "/sys", MS_RDONLY | MS_REC) < 0)
		return -1;
	return 0;
}

int taken_put_volumes(const struct taken *taken, const struct spec *spec)
{
	const struct source_mount *next = taken->at;
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct mount *mount = &spec->mounts[i];
		if ((mount->kind == MOUNT_BIND ? mounts_put(next++) : mounts_make(mount)) < 0)
			return -1;
	}
	return 0;
}

int taken_put_own(const struct taken *taken)
{
	for (size_t i = 0; i < taken->count; i++)
		if (mounts_put(&taken->at[i]) < 0)
			return -1;
	return 0;
}

void taken_close(const struct taken *taken)
{
	for (size_t i = 0; i < taken->count; i++)
		close(taken->at[i].tree);
}

/*
 * A launch, in this order, each step under the name of the function that takes it:
 *
 *	source_open         the image, held against removal
 *	spec_build          what the container shall be, from what was asked and what the image says
 *	writable_create     what is written, where it is kept on a disk
 *	volumes_open        the volumes, locked
 *	container_create    its processes, as far as they get without "go" (container.c)
 *	container_start     "go", until the program runs
 *	sweep               what killed ones have left, while the program runs already
 *	container_wait      until it has ended
 *	run_report_write    how, for --report
 *	launch_undo         all of it, in reverse
 */
#include "launcher/container/launch.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "launcher/spec/build.h"
#include "rootfs/base/err.h"
#include "rootfs/base/paths.h"
#include "rootfs/base/scoped.h"

/* docker-run(1): a file that is there already belongs to another container. */
static int write_cid_file(const char *path, const char *name)
{
	scoped_fd file = openat(AT_FDCWD, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	if (file < 0 || write(file, name, strlen(name)) != (ssize_t)strlen(name))
		return fail("--cidfile %s", path);
	return 0;
}

static int settle_name(struct launched *made, const char **name)
{
	const char *given = made->launch->given->name;
	*name = given && *given ? given : made->name;
	return *name == made->name ? state_random_name(made->name) : state_check_name(*name);
}

static int build_spec(struct launched *made)
{
	const struct launch *launch = made->launch;
	const struct source *source = &made->source;
	const char *name;
	made->state = path_absolute(launch->state);
	if (!made->state || settle_name(made, &name) < 0)
		return -1;
	const struct spec found = {
		.name = name,
		.state = made->state,
		.root = {
			.staging = made->state,
			.base = source->base,
			.has_tree = source->tree >= 0,
			.tree = source->tree,
			.lowers = source->lowers,
			.lower_count = source->lower_count,
			.top = source->top,
		},
	};
	return spec_build(&made->spec, &found, launch->given, &source->config, launch->words);
}

int launch_create(struct launched *made, const struct launch *launch)
{
	const char *cid_file = launch->given->cid_file;
	*made = (struct launched){ .launch = launch, .stage = LAUNCHED_SOURCE };
	if (source_open(&made->source, launch->image, launch->root, launch->given->platform,
			launch->given->no_unpack ? SOURCE_IN_PLACE : SOURCE_LOADED) < 0 || build_spec(made) < 0)
		return -1;
	made->stage = LAUNCHED_WRITABLE;
	if (writable_create(&made->writable, &made->source.store, &made->spec.root) < 0)
		return -1;
	made->stage = LAUNCHED_VOLUMES;
	if (volumes_open(&made->volumes, launch->root, &made->spec) < 0)
		return -1;
	if (cid_file && write_cid_file(cid_file, made->spec.name) < 0)
		return -1;
	made->stage = LAUNCHED_CONTAINER;
	run_report_start(launch->report); /* what an image took to load is not the container's time */
	return container_create(&made->container, &made->spec, &made->volumes, launch->front);
}

/* What killed runs have left is removed while the program runs already: a launch doesn't wait for it. */
static void sweep(struct launched *made)
{
	volumes_settle(&made->volumes);
	state_sweep(made->state, container_clean);
	net_sweep(&made->container.network);
	if (made->source.store.tmp >= 0)
		work_sweep(&made->source.store);
}

int launch_start(struct launched *made)
{
	if (container_start(&made->container) < 0)
		return -1;
	sweep(made);
	return 0;
}

void launch_undo(struct launched *made)
{
	if (made->stage >= LAUNCHED_CONTAINER)
		container_destroy(&made->container);
	if (made->stage >= LAUNCHED_VOLUMES)
		volumes_close(&made->volumes);
	if (made->stage >= LAUNCHED_WRITABLE)
		writable_destroy(&made->writable, &made->source.store);
	if (made->stage >= LAUNCHED_SOURCE)
		source_close(&made->source);
	free(take_ptr(&made->state));
	made->stage = LAUNCHED_NOTHING;
}

/* Before anything is undone: the image's files may be the reason, and the cgroups have the numbers. */
static int conclude(struct launched *made, int status)
{
	const struct launch *launch = made->launch;
	const char *name = made->spec.name ? made->spec.name : launch->given->name;
	if (status < 0 && made->stage == LAUNCHED_CONTAINER && launch->given->cid_file)
		unlink(launch->given->cid_file); /* it names a container that never was */
	if (run_report_write(launch->report, name, status, &made->container.outcome, &made->container.cgroup) < 0)
		status = -1;
	if (status < 0 && made->stage >= LAUNCHED_WRITABLE)
		image_explain(&made->source.store, &made->source.image);
	return status;
}

int launch_run(const struct launch *launch)
{
	__attribute__((cleanup(launch_undo))) struct launched made;
	int status = -1;
	if (launch_create(&made, launch) == 0 && launch_start(&made) == 0)
		status = container_wait(&made.container);
	return conclude(&made, status);
}

#include "rootfs/load/jobs.h"

#include <fcntl.h>
#include <stdio.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

int job_plan(struct job *job, const struct archive *archive, const struct plan_layer *layer, int number)
{
	if (!layer->there)
		return failx("%s: layer %s is missing", archive->path, layer->name);
	*job = (struct job){ .archive = archive->path };
	job->layer = (struct layer){ .blob = layer->blob, .digest = layer->digest, .diff_id = layer->diff_id };
	snprintf(job->directory, sizeof(job->directory), "%d", number);
	snprintf(job->implied, sizeof(job->implied), "%d.implied", number);
	return 0;
}

int job_open(const struct work *work, const char *directory)
{
	int dir = openat(work->dir, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? fail("open extracted layer %s", directory) : dir;
}

int job_complete(const struct work *work, const char *directory, const char *implied, const struct chain_layer *below,
		 int count, bool whiteouts, unsigned *asked)
{
	scoped_fd top = job_open(work, directory);
	scoped_fd names = openat(work->dir, implied, O_RDONLY | O_CLOEXEC);
	if (top < 0 || names < 0)
		return fail("complete layer %s", directory);
	int result = chain_complete(top, names, below, count, asked);
	return result == 0 && whiteouts ? chain_drop_whiteouts(top, below, count, asked) : result;
}

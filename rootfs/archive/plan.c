#include "rootfs/archive/plan.h"

#include "rootfs/archive/plan_docker.h"
#include "rootfs/archive/plan_index.h"
#include "rootfs/base/err.h"

/* Today's docker save has both kinds of documents; its names are in the older one. */
static int read_documents(struct plan_reader *reader)
{
	struct blob blob;
	int docker = archive_find(reader->archive, "manifest.json", &blob);
	int oci = docker < 0 ? -1 : archive_find(reader->archive, "index.json", &blob);
	if (oci < 0)
		return -1;
	if (oci && (!docker || reader->options->platform))
		return plan_read_index(reader);
	if (docker)
		return plan_read_docker(reader);
	if (archive_find(reader->archive, "repositories", &blob) > 0)
		return failx(
			"%s: it has no manifest.json: it was saved by a Docker older than 1.10",
			reader->archive->path);
	if (reader->archive->cut)
		return failx("%s: it is truncated: it ends before a manifest.json or an index.json",
			     reader->archive->path);
	failx("%s: it has neither a manifest.json nor an index.json", reader->archive->path);
	return hint("wherry reads what docker save, podman save or skopeo copy make; wherry import "
		    "takes a root file system");
}

static struct plan_image *find_id(struct plan_image *images, int count, const struct digest *id)
{
	for (int i = 0; i < count; i++)
		if (digest_equal(&images[i].id, id))
			return &images[i];
	return NULL;
}

/* One that is listed under two names, each on its own, is one image with both. */
static int merge_same(struct plan *plan)
{
	int kept = 0, result = 0;
	for (int i = 0; i < plan->count; i++) {
		struct plan_image image = plan->images[i];
		struct plan_image *first = find_id(plan->images, kept, &image.id);
		for (int j = 0; first && j < image.name_count && result == 0; j++)
			result = plan_add_name(first, image.names[j]);
		if (first)
			continue;
		plan->images[i] = plan->images[kept];
		plan->images[kept++] = image;
	}
	plan_cut(plan, kept);
	return result;
}

static int fail_empty(const struct plan_reader *reader)
{
	const char *path = reader->archive->path, *ref = reader->options->ref;
	if (ref && !reader->passed.count)
		return failx("%.300s: there is no image '%.200s' in it%s%s", path, ref,
			     *reader->unwanted ? ", only " : "", reader->unwanted);
	return passed_fail(&reader->passed, path, &reader->platform);
}

int plan_read(struct plan *plan, struct archive *archive, const struct plan_options *options)
{
	struct plan_reader reader = { .archive = archive, .plan = plan, .options = options };
	*plan = (struct plan){ 0 };
	platform_native(&reader.platform);
	if (options->platform && platform_parse(&reader.platform, options->platform) < 0)
		return -1;
	int result = read_documents(&reader);
	if (result == 0)
		result = merge_same(plan);
	if (result == 0 && !plan->count)
		result = fail_empty(&reader);
	if (result < 0)
		plan_free(plan);
	else if (!options->quiet)
		passed_tell(&reader.passed, archive->path);
	return result;
}

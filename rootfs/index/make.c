/*
 * The order: each layer is read once, hashed, and its metadata written into a tmpfs that has no name
 * anywhere and ends with us; what it shows of all of them is written as one EROFS image; that goes into
 * the store as a layer would (IMAGES.md rules 23 to 26).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "rootfs/archive/archive.h"
#include "rootfs/store/chain.h"
#include "rootfs/index/erofs_copy.h"
#include "rootfs/base/child.h"
#include "rootfs/base/err.h"
#include "rootfs/store/inplace.h"
#include "rootfs/store/inplace_key.h"
#include "rootfs/load/workers.h"
#include "rootfs/index/merge.h"
#include "rootfs/archive/plan.h"
#include "rootfs/store/room.h"
#include "rootfs/base/paths.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/seals.h"

struct making {
	struct archive archive;
	struct plan plan;
	struct seals seals;
	struct work memory;           /* a tmpfs, without a name */
	struct job *jobs;        /* one for each layer */
	struct merge_layer *layers;
	unsigned asked;               /* rootfs/store/merged.h */
	struct erofs erofs;
};

/* Inodes take about 1 KiB each, attributes included: at most a quarter of what there is. */
static int mount_memory(struct work *work)
{
	char inodes[32];
	struct sysinfo info = { 0 };
	sysinfo(&info);
	snprintf(inodes, sizeof(inodes), "%llu",
		 (unsigned long long)info.totalram * info.mem_unit / 4096);
	scoped_fd context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	if (context < 0 ||
	    syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "700", 0) < 0 ||
	    syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "nr_inodes", inodes, 0) < 0 ||
	    syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail("make a tmpfs for the index");
	scoped_fd mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	/* fsmount(2) gives an O_PATH descriptor */
	work->dir = mount < 0 ? -1 : openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return work->dir < 0 ? fail("mount a tmpfs for the index") : 0;
}

static int read_plan(struct making *making, const char *platform, const char *ref)
{
	struct archive *archive = &making->archive;
	const struct plan_options options = { .platform = platform, .ref = ref, .quiet = true };
	if (archive->packed) {
		failx("%s: it is compressed as a whole, so that files can't be read where they are",
		      archive->path);
		return hint("unpack it once (gzip -d, zstd -d), or run it without --no-unpack");
	}
	if (archive_index(archive) < 0 || plan_read(&making->plan, archive, &options) < 0)
		return -1;
	if (making->plan.count > 1) {
		failx("%s: there are %d images in it: --no-unpack runs an archive of one",
		      archive->path, making->plan.count);
		return hint("%s:NAME is one of them", archive->path);
	}
	return 0;
}

/* A directory's documents say which blobs are meant; those are files of their own. */
static int seal_directory(struct making *making)
{
	static const char *const documents[] = { "index.json", "manifest.json" };
	const struct plan_image *image = making->plan.images;
	for (int i = 0; i < 2; i++) {
		scoped_fd file = archive_open_beneath(&making->archive, documents[i]);
		if (file == -1)
			return -1;
		if (file >= 0 && seals_add_file(&making->seals, "document", file) < 0)
			return -1;
	}
	for (int i = 0; i < image->layer_count; i++)
		if (image->layers[i].there &&
		    seals_add_file(&making->seals, "layer", image->layers[i].blob.file) < 0)
			return -1;
	return 0;
}

static int seal(struct making *making)
{
	char full[PATH_MAX];
	if (!realpath(making->archive.path, full))
		return fail("open %s", making->archive.path);
	if (seals_add(&making->seals, "archive", full) < 0 ||
	    seals_add(&making->seals, "image", making->plan.images->id.hex) < 0)
		return -1;
	return making->archive.dir >= 0
		       ? seal_directory(making)
		       : seals_add_file(&making->seals, "layer", making->archive.file);
}

/*
 * A file's times are as coarse as the kernel's tick, 10 ms at most: what is written later in the tick of
 * the last write leaves no trace. So that tick must be over before anything is read.
 */
static void let_tick_pass(void)
{
	const struct timespec tick = { .tv_nsec = 20 * 1000 * 1000 };
	nanosleep(&tick, NULL);
}

static int note_device(struct making *making, const struct blob *blob, uint32_t *device)
{
	struct stat st;
	struct erofs *erofs = &making->erofs;
	if (making->archive.dir < 0 && erofs->device_count) {
		*device = 0;
		return 0;
	}
	if (erofs->device_count == EROFS_DEVICES)
		return failx("%s: it has more than %d layers", making->archive.path, EROFS_DEVICES);
	if (fstat(blob->file, &st) < 0)
		return fail("look at %s", making->archive.path);
	*device = erofs->device_count++;
	erofs->devices[*device] = st.st_size;
	return 0;
}

static int plan_jobs(struct making *making)
{
	const struct plan_image *image = making->plan.images;
	making->jobs = calloc(image->layer_count + 1, sizeof(*making->jobs));
	making->layers = calloc(image->layer_count + 1, sizeof(*making->layers));
	if (!making->jobs || !making->layers)
		return fail("make the index");
	for (int i = 0; i < image->layer_count; i++)
		making->layers[i].dir = -1;
	for (int i = 0; i < image->layer_count; i++) {
		const struct plan_layer *layer = &image->layers[i];
		struct job *job = &making->jobs[i];
		if (job_plan(job, &making->archive, layer, i) < 0)
			return -1;
		job->layer.in_place = true;
		if (note_device(making, &layer->blob, &making->layers[i].device) < 0)
			return -1;
	}
	return 0;
}

/* Rule 12: directories without an entry take what those below have. */
static int complete_layer(struct making *making, int number)
{
	const struct job *job = &making->jobs[number];
	scoped_ptr struct chain_layer *below = calloc(number + 1, sizeof(*below));
	if (!below)
		return fail("complete layer %.12s", job->layer.diff_id.hex);
	for (int i = 0; i < number; i++)
		below[i] = (struct chain_layer){ making->layers[i].dir, making->layers[i].opaque_root };
	return job_complete(&making->memory, job->directory, job->implied, below, number, false,
			    &making->asked);
}

static int read_layers(struct making *making)
{
	struct left_out left_out = { 0 };
	int count = making->plan.images->layer_count;
	if (plan_jobs(making) < 0 || mount_memory(&making->memory) < 0 ||
	    workers_run(&making->memory, making->jobs, count, 1) < 0)
		return -1;
	for (int i = 0; i < count; i++) {
		const struct job *job = &making->jobs[i];
		struct merge_layer *layer = &making->layers[i];
		left_out_add(&left_out, &job->found.left_out);
		layer->name = job->directory;
		layer->has_root = job->found.has_root;
		layer->opaque_root = job->found.opaque_root;
		layer->dir = job_open(&making->memory, job->directory);
		if (layer->dir < 0)
			return -1;
		if (i > 0 && job->found.implied && complete_layer(making, i) < 0)
			return -1;
	}
	left_out_tell(&left_out);
	making->erofs.copied = making->memory.dir;
	return merge_layers(making->layers, count, &making->erofs);
}

static int hash_index(int file, struct digest *digest)
{
	static char buffer[65536];
	struct sha256 sha;
	ssize_t n;
	sha256_init(&sha);
	for (off_t at = 0; (n = pread(file, buffer, sizeof(buffer), at)) > 0; at += n)
		sha256_update(&sha, buffer, n);
	sha256_final(&sha, digest);
	return n < 0 ? fail("read the index") : 0;
}

/* By errno. */
static int write_fail(const struct making *making)
{
	room_hint_need("the index", making->erofs.need);
	return fail("write the index");
}

static int put_file(const struct making *making, int dir, const char *name, const char *data, size_t size)
{
	scoped_fd file = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return write_fail(making);
	if (erofs_put(&making->erofs, file, data, size, 0) < 0)
		return -1;
	return fsync(file) < 0 ? write_fail(making) : 0;
}

/* Before anything is written, as rootfs/load/loader.c has it. */
static int check_room(struct making *making, const struct store *store, int dir)
{
	if (erofs_place(&making->erofs) < 0)
		return -1;
	return room_check(dir, making->erofs.need, making->archive.path, "its index needs", store->path);
}

static int put_index(struct making *making, const struct store *store, int dir)
{
	struct digest digest;
	const struct plan_image *image = making->plan.images;
	if (check_room(making, store, dir) < 0)
		return -1;
	scoped_fd file = openat(dir, "tree.erofs", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return write_fail(making);
	if (erofs_write(&making->erofs, file) < 0 || hash_index(file, &digest) < 0)
		return -1;
	if (fsync(file) < 0)
		return write_fail(making);
	if (put_file(making, dir, "config", image->config, image->config_size) < 0)
		return -1;
	if (seals_add(&making->seals, "index", digest.hex) < 0)
		return -1;
	return put_file(making, dir, "seals", making->seals.text, making->seals.size);
}

/*
 * In one step, so that who looks for it finds the old one or the new. EINVAL: JFFS2 can't exchange names.
 * EEXIST: another was first, and ours takes the place of that.
 */
static int put_in_place(const struct work *work, int indexes, const char *key)
{
	for (;;) {
		if (syscall(SYS_renameat2, work->dir, "index", indexes, key, RENAME_EXCHANGE) == 0)
			return 0;
		if (errno == EINVAL)
			renameat(indexes, key, work->dir, "old");
		else if (errno != ENOENT)
			return -1;
		if (syscall(SYS_renameat2, work->dir, "index", indexes, key, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
}

static int publish(const struct store *store, const struct work *work, const char *key)
{
	if (mkdirat(store->root, "indexes", 0700) < 0 && errno != EEXIST)
		return fail("make %s/indexes", store->path);
	scoped_fd indexes = openat(store->root, "indexes", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (indexes < 0)
		return fail("open %s/indexes", store->path);
	if (put_in_place(work, indexes, key) < 0)
		return fail("put the index into %s", store->path);
	return fsync(indexes) < 0 || fsync(store->root) < 0 ? fail("sync %s/indexes", store->path) : 0;
}

static int write_index(struct making *making, struct store *store, const struct digest *key)
{
	struct work work = { .dir = -1 };
	if (store_make(store) < 0 || work_create(store, &work) < 0)
		return -1;
	int result = mkdirat(work.dir, "index", 0700);
	scoped_fd dir = openat(work.dir, "index", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (result < 0 || dir < 0)
		result = fail("make %s/tmp/%s/index", store->path, work.name);
	if (result == 0)
		result = put_index(making, store, dir);
	if (result == 0 && seals_check(&making->seals, NULL, NULL) <= 0)
		result = failx("%s: it has changed while it was read", making->archive.path);
	if (result == 0 && fsync(dir) < 0)
		result = fail("write the index");
	if (result == 0)
		result = publish(store, &work, key->hex);
	work_destroy(store, &work);
	return result;
}

static void end(struct making *making)
{
	for (int i = 0; making->layers && i < making->plan.images->layer_count; i++)
		scoped_close(&making->layers[i].dir);
	erofs_free(&making->erofs);
	free(making->jobs);
	free(making->layers);
	free(making->seals.text);
	plan_free(&making->plan);
	archive_close(&making->archive);
	scoped_close(&making->memory.dir);
	free(making);
}

static int make(struct store *store, const char *path, const char *platform)
{
	struct digest key;
	const char *ref;
	scoped_ptr char *file = path_split(path, &ref);
	struct making *making = file ? calloc(1, sizeof(*making)) : NULL;
	if (!making)
		return fail("make the index");
	making->memory.dir = making->archive.dir = making->archive.file = -1;
	let_tick_pass();
	int result = archive_open(&making->archive, file);
	if (result == 0)
		result = read_plan(making, platform, ref);
	if (result == 0)
		result = seal(making);
	if (result == 0)
		result = read_layers(making);
	if (result == 0)
		result = inplace_key(path, platform, &key);
	if (result == 0)
		result = write_index(making, store, &key);
	end(making);
	return result;
}

struct task {
	struct store *store;
	const char *path, *platform;
};

static int make_task(void *argument)
{
	const struct task *task = argument;
	return make(task->store, task->path, task->platform);
}

/* In a process of its own: the memory that it takes, a megabyte, would stay with who goes on to supervise. */
int inplace_make(struct store *store, const char *path, const char *platform)
{
	struct child child;
	struct task task = { store, path, platform };
	if (child_start(&child, "the process for the index", make_task, &task, NULL, 0) < 0)
		return -1;
	return child_finish(&child);
}

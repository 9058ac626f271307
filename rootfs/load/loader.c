/*
 * How a layer gets from an archive to the disk:
 *
 *	archive/        members and where they lie; documents, and the plan that is made of them
 *	   │ plan
 *	load/           loader.c: what the store lacks of it ──► jobs.c: one job a layer
 *	   │ jobs
 *	load/workers.c  two at a time, a process each
 *	   │ layer      layer/layer.c: feeds the blob, hashes both streams, checks all that comes back
 *	   │   ▲ │
 *	   │   │ ▼      shared memory: decode/channel.c
 *	   │ decode/    a process that can only compute: inflate.c ──► headers.c ──► untar.c
 *	   ▼
 *	layer/entry.c   writes the tree, by walk.c, metadata.c, data.c, link.c, whiteout.c
 *	   │ findings
 *	store/          chain.c completes it by what is below; renamed into place, about.c beside it
 *
 * The order of a load, so that a power cut at any moment leaves the old image or the new one
 * (IMAGES.md rules 23 to 26):
 *
 *	read what the archive says is in it	nothing is written yet
 *	extract the layers that the store lacks	in a work directory
 *	give them what they take from below	likewise
 *	syncfs, once for all			workers.c has had some of it begun
 *	rename each layer into place		now it can be seen, and is durable
 *	write the config, what a run needs of it, then the names	each durable before the next
 */
#include "rootfs/load/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rootfs/store/about.h"
#include "rootfs/store/chain.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/load/workers.h"
#include "rootfs/load/missing.h"
#include "rootfs/store/names.h"
#include "rootfs/store/ready.h"
#include "rootfs/store/room.h"
#include "rootfs/base/paths.h"
#include "rootfs/base/scoped.h"

enum { AGAIN_MAX = 200 };

struct load {
	struct store *store;
	struct archive *archive;
	const struct load_options *options;
	const char *ref; /* of the one image that is wanted; NULL: all */
	struct work work;
	struct waiting_list waiting;
	struct left_out left_out;
	json_t *extracted; /* diff IDs of layers that have been, as an object's members */
	unsigned asked;    /* store/merged.h */
	int again;         /* how many have been more than once */
	struct load_result *result;
};

static uint64_t window_of(const struct load *load)
{
	return load->options->window ? load->options->window : DECODER_WINDOW;
}

/* The same layer is another one on other layers: a few lines could ask for it ten thousand times. */
static int note_extracted(struct load *load, const struct digest *diff_id)
{
	if (!load->extracted && !(load->extracted = json_object()))
		return fail("note a layer");
	if (json_object_get(load->extracted, diff_id->hex) && ++load->again > AGAIN_MAX)
		return failx("%s: its layers would have to be extracted again more than %d times, for "
			     "what lies below them", load->archive->path, AGAIN_MAX);
	return json_object_set_new(load->extracted, diff_id->hex, json_true()) < 0 ? fail("note a layer") : 0;
}

static int add_job(struct load *load, const struct plan_layer *layer, struct job *job, int number)
{
	if (job_plan(job, load->archive, layer, number) < 0 || note_extracted(load, &layer->diff_id) < 0)
		return -1;
	job->layer.window = window_of(load);
	return 0;
}

/* Jobs for what is missing of IMAGE. Returns how many, or -1. */
static int find_jobs(struct load *load, const struct plan_image *image,
		     const struct digest *chains, struct job *jobs)
{
	scoped_ptr int *missing = calloc(image->layer_count, sizeof(*missing));
	if (!missing)
		return fail("find the layers that are missing");
	int count = missing_find(load->store, &load->waiting, image, chains, missing);
	for (int i = 0; i < count; i++)
		if (add_job(load, &image->layers[missing[i]], &jobs[i],
			     load->waiting.count + i) < 0)
			return -1;
	return count;
}

static int open_layer(const struct load *load, const struct digest *key)
{
	const struct waiting *waiting = waiting_find(&load->waiting, key);
	if (waiting)
		return job_open(&load->work, waiting->directory);
	int dir = openat(load->store->layers, key->hex, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? fail("open layer %.12s", key->hex) : dir;
}

static bool hides_below(const struct load *load, const struct digest *key)
{
	struct findings found;
	const struct waiting *waiting = waiting_find(&load->waiting, key);
	if (waiting)
		return waiting->found.opaque_root;
	return about_read(load->store, key, &found) == 0 && found.opaque_root;
}

static int complete_layer(struct load *load, struct waiting *waiting, const struct digest *keys,
		    int below)
{
	struct chain_layer *layers = calloc(below + 1, sizeof(*layers));
	if (!layers)
		return fail("complete layer %.12s", waiting->diff_id.hex);
	int opened = 0, result = 0;
	for (; opened < below && result == 0; opened++) {
		layers[opened].dir = open_layer(load, &keys[opened]);
		layers[opened].opaque_root = hides_below(load, &keys[opened]);
		result = layers[opened].dir < 0 ? -1 : 0;
	}
	if (result == 0)
		result = job_complete(&load->work, waiting->directory, waiting->implied, layers, below,
				      waiting->found.whiteouts, &load->asked);
	if (result > 0)
		waiting->found.names -= result;
	while (opened > 0)
		scoped_close(&layers[--opened].dir);
	free(layers);
	return result < 0 ? -1 : 0;
}

/*
 * Bottom first, since a layer may need those below it. Returns how many layers still have no key.
 */
static int find_keys(struct load *load, const struct plan_image *image, const struct digest *chains)
{
	struct digest *keys = calloc(image->layer_count, sizeof(*keys));
	int missing = 0;
	if (!keys)
		return fail("sort out the layers");
	for (int i = 0; i < image->layer_count && missing == 0; i++) {
		const struct digest *diff_id = &image->layers[i].diff_id;
		int found = missing_key(load->store, &load->waiting, diff_id, &chains[i],
					i == 0, &keys[i]);
		struct waiting *fresh = found ? NULL : waiting_fresh(&load->waiting, diff_id);
		if (fresh) {
			if (fresh->found.implied && complete_layer(load, fresh, keys, i) < 0)
				found = -1;
			fresh->key = keys[i] = fresh->found.implied ? chains[i] : *diff_id;
		}
		if (found < 0)
			missing = -1;
		else if (!found && !fresh)
			missing = image->layer_count - i;
	}
	free(keys);
	return missing;
}

static int take_jobs(struct load *load, const struct job *jobs, int count)
{
	struct waiting *grown = realloc(load->waiting.at, (load->waiting.count + count) * sizeof(*grown));
	if (!grown)
		return fail("extract the layers");
	load->waiting.at = grown;
	for (int i = 0; i < count; i++) {
		struct waiting *waiting = &grown[load->waiting.count++];
		*waiting = (struct waiting){ .diff_id = jobs[i].layer.diff_id,
					     .found = jobs[i].found };
		memcpy(waiting->directory, jobs[i].directory, sizeof(waiting->directory));
		memcpy(waiting->implied, jobs[i].implied, sizeof(waiting->implied));
		left_out_add(&load->left_out, &jobs[i].found.left_out);
		load->result->written += jobs[i].found.disk;
		load->result->layers++;
	}
	return 0;
}

/* Before anything is written: a flash that is filled for nothing wears, and others need it too. */
static int check_room(const struct load *load, struct job *jobs, int count)
{
	uint64_t need = 0;
	for (int i = 0; i < count; i++)
		need += room_least(&jobs[i].layer.blob);
	for (int i = 0; i < count; i++)
		jobs[i].layer.need = need;
	return room_check(load->work.dir, need, load->archive->path, "its layers need",
			  load->store->path);
}

static int extract_jobs(struct load *load, struct job *jobs, int count)
{
	if (check_room(load, jobs, count) < 0 ||
	    workers_run(&load->work, jobs, count, load->options->quiet) < 0)
		return -1;
	return take_jobs(load, jobs, count);
}

static int extract_round(struct load *load, const struct plan_image *image,
			 const struct digest *chains)
{
	struct job *jobs = calloc(image->layer_count, sizeof(*jobs));
	if (!jobs)
		return fail("extract the layers");
	int count = find_jobs(load, image, chains, jobs);
	if (count > 0 && extract_jobs(load, jobs, count) < 0)
		count = -1;
	free(jobs);
	return count < 0 ? -1 : find_keys(load, image, chains);
}

/* The caller's; NULL: no memory. */
static struct digest *image_chains(const struct plan_image *image)
{
	scoped_ptr struct digest *chains = calloc(image->layer_count + 1, sizeof(*chains));
	scoped_ptr struct digest *diff_ids = calloc(image->layer_count + 1, sizeof(*diff_ids));
	if (!chains || !diff_ids)
		return NULL;
	for (int i = 0; i < image->layer_count; i++)
		diff_ids[i] = image->layers[i].diff_id;
	chain_ids(diff_ids, image->layer_count, chains);
	return take_ptr(&chains);
}

/*
 * Mostly one round. A layer that is in an image twice and takes something from below is another one
 * each time: then one more for each.
 */
static int extract_image(struct load *load, const struct plan_image *image)
{
	int missing;
	scoped_ptr struct digest *chains = image_chains(image);
	if (!chains)
		return fail("extract the layers");
	do {
		missing = extract_round(load, image, chains);
	} while (missing > 0);
	return missing;
}

/* EEXIST: another load was first with the same layer; ours goes with the work directory. */
static int move_into_place(struct load *load, const char *from, const char *to)
{
	const struct store *store = load->store;
	if (syscall(SYS_renameat2, load->work.dir, from, store->layers, to, RENAME_NOREPLACE) < 0 &&
	    errno != EEXIST)
		return fail("put layer %.12s into %s", to, store->path);
	return 0;
}

/* What is known of it first: who sees a layer may read that. */
static int publish_one(struct load *load, const struct waiting *waiting)
{
	struct about_name about = about_name(&waiting->key);
	return move_into_place(load, about.text, about.text) < 0
		       ? -1
		       : move_into_place(load, waiting->directory, waiting->key.hex);
}

static int publish_layers(struct load *load)
{
	const struct store *store = load->store;
	if (!load->waiting.count)
		return 0;
	for (int i = 0; i < load->waiting.count; i++) {
		struct about_name about = about_name(&load->waiting.at[i].key);
		/* Without a key: another load has put the same layer there meanwhile. */
		if (load->waiting.at[i].key.hex[0] &&
		    about_write(load->work.dir, about.text, &load->waiting.at[i].found) < 0)
			return -1;
	}
	if (syncfs(load->work.dir) < 0)
		return fail("write the layers to the disk of %s", store->path);
	for (int i = 0; i < load->waiting.count; i++)
		if (load->waiting.at[i].key.hex[0] && publish_one(load, &load->waiting.at[i]) < 0)
			return -1;
	return fsync(store->layers) < 0 ? fail("sync %s/layers", store->path) : 0;
}

/* NAME:TAG and, where there is a manifest, NAME@sha256:… */
static int publish_name(struct load *load, const char *full, const struct plan_image *image)
{
	char with_digest[NAMES_BYTES + 1];
	if (image->manifest.hex[0] && names_with_digest(full, &image->manifest, with_digest) &&
	    names_set(load->store, &load->work, with_digest, &image->id) < 0)
		return -1;
	return names_set(load->store, &load->work, full, &image->id);
}

static int publish_names(struct load *load, const struct plan_image *image)
{
	char full[NAMES_BYTES + 1];
	if (load->options->name) {
		if (!names_complete(load->options->name, full))
			return failx("'%s' is no name for an image", load->options->name);
		return publish_name(load, full, image);
	}
	for (int i = 0; i < image->name_count; i++)
		if (publish_name(load, image->names[i], image) < 0)
			return -1;
	return 0;
}

static int publish_image(struct load *load, const struct plan_image *image)
{
	if (!store_has_image(load->store, &image->id) &&
	    store_write(&load->work, load->store->images, image->id.hex, image->config,
			image->config_size) < 0)
		return -1;
	return ready_write(load->store, &load->work, &image->id) < 0 ? -1 : publish_names(load, image);
}

static int load_all(struct load *load, struct plan *plan, load_told *told, void *context)
{
	scoped_fd lock = store_lock(load->store, STORE_SHARED);
	if (lock < 0)
		return -1;
	for (int i = 0; i < plan->count; i++)
		if (extract_image(load, &plan->images[i]) < 0)
			return -1;
	left_out_tell(&load->left_out);
	if (publish_layers(load) < 0)
		return -1;
	for (int i = 0; i < plan->count; i++) {
		if (publish_image(load, &plan->images[i]) < 0)
			return -1;
		if (told)
			told(context, &plan->images[i]);
	}
	load->result->id = plan->images[0].id;
	load->result->images = plan->count;
	return 0;
}

/* Whether each of them leads to it. One that can't be read is written anew. */
static bool has_names(const struct load *load, const struct plan_image *image)
{
	char full[NAMES_BYTES + 1];
	const char *one = load->options->name;
	int count = one ? 1 : image->name_count;
	if (one && !names_complete(one, full))
		return false; /* publish_names says so */
	for (int i = 0; i < count; i++) {
		struct digest id;
		int has = names_get(load->store, one ? full : image->names[i], &id);
		if (has < 0)
			failure_clear();
		if (has <= 0 || !digest_equal(&id, &image->id))
			return false;
	}
	return true;
}

static int has_image(struct load *load, const struct plan_image *image)
{
	if (!store_has_image(load->store, &image->id) ||
	    !(ready_is_there(load->store, &image->id) || store_is_read_only(load->store)))
		return 0;
	scoped_ptr struct digest *chains = image_chains(image);
	scoped_ptr int *missing = calloc(image->layer_count + 1, sizeof(*missing));
	int lacks = chains && missing ? missing_find(load->store, &load->waiting, image, chains, missing)
				      : fail("find the layers that are missing");
	return lacks ? (lacks < 0 ? -1 : 0) : has_names(load, image);
}

static void tell_all(struct load *load, const struct plan *plan, load_told *told, void *context)
{
	for (int i = 0; told && i < plan->count; i++)
		told(context, &plan->images[i]);
	load->result->id = plan->images[0].id;
	load->result->images = plan->count;
}

/*
 * Where the store has all of it, as this load would leave it, nothing is written: a store that can't be written to
 * will do. Returns 1, 0, or -1 with a failure.
 */
static int find_loaded(struct load *load, const struct plan *plan, load_told *told, void *context)
{
	if (load->store->layers < 0 || load->store->images < 0)
		return 0;
	scoped_fd lock = store_lock(load->store, STORE_SHARED);
	int has = lock < 0 ? -1 : 1;
	for (int i = 0; has > 0 && i < plan->count; i++)
		has = has_image(load, &plan->images[i]);
	if (has > 0)
		tell_all(load, plan, told, context);
	return has;
}

/* An image that nobody has named is called after its file. */
static int read_plan(struct load *load, struct plan *plan)
{
	char full[NAMES_BYTES + 1];
	const struct plan_options options = { load->options->platform, load->ref, load->options->quiet };
	if (archive_index(load->archive) < 0 || plan_read(plan, load->archive, &options) < 0)
		return -1;
	if (load->options->name && plan->count > 1)
		return failx("%s: there are %d images in it: they can't have one name, '%s'",
			     load->archive->path, plan->count, load->options->name);
	if (plan->count == 1 && !plan->images[0].name_count &&
	    names_from_file(load->archive->path, "latest", full))
		return plan_add_name(&plan->images[0], full);
	return 0;
}

/*
 * A plain archive is looked into before anything is made in the store; a packed one needs room
 * there first.
 */
static int read_and_load(struct load *load, load_told *told, void *context)
{
	const struct spool_options spool = { load->store->path, window_of(load),
					     load->options->quiet };
	struct plan plan = { 0 };
	bool packed = load->archive->packed;
	if (!packed && read_plan(load, &plan) < 0)
		return -1;
	int loaded = packed ? 0 : find_loaded(load, &plan, told, context);
	if (loaded) {
		plan_free(&plan);
		return loaded < 0 ? -1 : 0;
	}
	int result = store_make(load->store);
	if (result == 0)
		result = work_create(load->store, &load->work);
	if (result == 0 && packed &&
	    (archive_spool(load->archive, &load->work, &spool) < 0 ||
	     read_plan(load, &plan) < 0))
		result = -1;
	if (result == 0)
		result = load_all(load, &plan, told, context);
	work_destroy(load->store, &load->work);
	plan_free(&plan);
	return result;
}

int loader_load(struct store *store, const char *path, const struct load_options *options,
		struct load_result *result, load_told *told, void *context)
{
	struct archive archive;
	const char *ref;
	*result = (struct load_result){ 0 };
	scoped_ptr char *file = path_split(path, &ref);
	if (!file)
		return -1;
	struct load load = { .store = store,
			     .archive = &archive,
			     .options = options,
			     .ref = ref ? ref : options->ref,
			     .result = result,
			     .work.dir = -1 };
	int status = archive_open(&archive, file);
	if (status == 0)
		status = read_and_load(&load, told, context);
	archive_close(&archive);
	free(load.waiting.at);
	json_decref(load.extracted);
	return status;
}

int loader_put(struct store *store, const struct work *work, const char *path,
	       const struct plan_image *image, const char *full)
{
	struct archive archive = { .path = path, .dir = -1, .file = -1 };
	struct load_result result = { .images = 0 };
	const struct load_options options = { .name = full, .quiet = 1 };
	struct plan plan = { .images = (struct plan_image *)image, .count = 1 };
	struct load load = { .store = store,
			     .archive = &archive,
			     .options = &options,
			     .result = &result,
			     .work = *work };
	int status = load_all(&load, &plan, NULL, NULL);
	free(load.waiting.at);
	json_decref(load.extracted);
	return status;
}

/*
 * An index lists one image for several platforms, by descriptors or by configs that say which; that of a
 * layout lists several images, too, by name, and whatever else somebody wanted to keep beside them
 * (image-index.md: an unknown media type must not be an error). Entries of one name are one group, of
 * which one is taken.
 */
#include "rootfs/archive/plan_index.h"

#include <stdlib.h>
#include <string.h>

#include "rootfs/archive/plan_manifest.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/names.h"

/* ALL_ENTRIES: of indexes in indexes, which may be named again and again. */
enum { INDEX_DEPTH = 4, ENTRIES = 1000, ALL_ENTRIES = 5000 };

/* An entry that may be taken. */
struct candidate {
	const json_t *entry;
	const char *name; /* NULL: none */
	size_t group, number;
	int score; /* 1: what it points at will tell */
	bool wanted;
};

struct index {
	struct candidate *candidates; /* sorted: groups in order, in each the best first */
	size_t count;
	int depth;
};

static enum media media_of(const json_t *entry)
{
	const char *type = json_text(entry, "mediaType");
	return plan_media(type ? type : "");
}

/* Signatures and records of a build stand among the manifests, for a platform "unknown". */
static bool is_attestation(const json_t *entry)
{
	const char *os = json_text(json_member_object(entry, "platform"), "os");
	return (os && !strcmp(os, "unknown")) ||
	       json_text(json_member_object(entry, "annotations"), "vnd.docker.reference.type");
}

static const char *name_of(const json_t *entry)
{
	const json_t *annotations = json_member_object(entry, "annotations");
	const char *name = json_text(annotations, "io.containerd.image.name");
	return name ? name : json_text(annotations, "org.opencontainers.image.ref.name");
}

static bool is_wanted(const struct plan_reader *reader, const json_t *entry)
{
	const json_t *annotations = json_member_object(entry, "annotations");
	const char *name = json_text(annotations, "io.containerd.image.name"),
		   *tag = json_text(annotations, "org.opencontainers.image.ref.name");
	return (name && plan_is_wanted(reader, name)) || (tag && plan_is_wanted(reader, tag));
}

/* Notes that ENTRY is passed over, by its name or else by its digest. */
static enum plan_answer pass_over(struct plan_reader *reader, const json_t *entry, const char *name)
{
	char text[24];
	const char *digest = json_text(entry, "digest");
	snprintf(text, sizeof(text), "%.19s", digest ? digest : "an entry");
	passed_add(&reader->passed, name ? name : text);
	return PLAN_FOREIGN;
}

/* 0: it won't do. */
static int score(struct plan_reader *reader, const json_t *entry, const char *name)
{
	struct platform platform;
	const json_t *stated = json_member_object(entry, "platform");
	if (is_attestation(entry))
		return 0;
	if (!stated)
		return 1;
	platform_from_json(&platform, stated);
	int match = platform_match(&platform, &reader->platform);
	if (match)
		return 1 + match;
	passed_for_platform(&reader->passed, &platform);
	return pass_over(reader, entry, name);
}

static int compare(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Names to numbers of groups, in the order in which they are met; -1 with a failure. */
static json_int_t group_of(json_t *groups, const char *name)
{
	const json_t *known = json_object_get(groups, name ? name : "");
	if (known)
		return json_integer_value(known);
	json_int_t group = (json_int_t)json_object_size(groups);
	return json_object_set_new_nocheck(groups, name ? name : "", json_integer(group)) < 0
		       ? fail("read an index")
		       : group;
}

static int add_candidate(struct plan_reader *reader, struct index *index, json_t *groups,
			 const json_t *entry, const struct candidate *parent)
{
	const char *own = name_of(entry), *name = own ? own : parent->name;
	bool wanted = parent->wanted || is_wanted(reader, entry);
	/* An index without a name may list what is wanted. */
	if (!wanted && (own || media_of(entry) != MEDIA_INDEX)) {
		if (own)
			plan_note_unwanted(reader, own);
		return 0;
	}
	int points = score(reader, entry, name);
	json_int_t group = points ? group_of(groups, name) : 0;
	if (!points || group < 0)
		return group < 0 ? -1 : 0;
	index->candidates[index->count] = (struct candidate){ .entry = entry, .name = name,
		.group = (size_t)group, .number = index->count, .score = points, .wanted = wanted };
	index->count++;
	return 0;
}

static int find_candidates(struct plan_reader *reader, struct index *index, const json_t *manifests,
			   const struct candidate *parent)
{
	scoped_json *groups = json_object();
	size_t count = json_array_size(manifests);
	index->candidates = calloc(count, sizeof(*index->candidates));
	if (!groups || !index->candidates)
		return fail("read an index");
	for (size_t i = 0; i < count; i++)
		if (add_candidate(reader, index, groups, json_array_get(manifests, i), parent) < 0)
			return -1;
	qsort(index->candidates, index->count, sizeof(*index->candidates), compare);
	return 0;
}

static enum plan_answer read_manifests(struct plan_reader *, const json_t *,
				       const struct candidate *parent, int depth);

static enum plan_answer add_image(struct plan_reader *reader, const json_t *manifest,
				  const struct digest *digest, const char *name)
{
	char full[NAMES_BYTES + 1];
	int before = reader->plan->count;
	enum plan_answer answer = plan_read_manifest(reader, manifest);
	if (answer != PLAN_TAKEN) {
		plan_cut(reader->plan, before);
		return answer;
	}
	reader->plan->images[before].manifest = *digest;
	/* In a layout a reference is often a tag alone; the file's name goes before it, then. */
	if (name && !strpbrk(name, "/:") && names_from_file(reader->archive->path, name, full))
		name = full;
	if (name && plan_add_name(&reader->plan->images[before], name) < 0)
		return PLAN_FAILED;
	return PLAN_TAKEN;
}

/* The document that DESCRIPTOR points at, which must be of the same mind about what it is. */
static json_t *read_described(struct plan_reader *reader, const struct descriptor *descriptor,
			      const char *kind)
{
	scoped_ptr char *text = NULL;
	char what[256];
	size_t size;
	if (plan_read_described(reader, descriptor, kind, &text, &size) < 0)
		return NULL;
	snprintf(what, sizeof(what), "%.200s: blob %.12s", reader->archive->path, descriptor->digest.hex);
	json_t *json = json_read(text, size, what);
	const char *own = json_text(json, "mediaType");
	if (!own || !strcmp(own, descriptor->media_type))
		return json;
	failx("%s says that it is '%.100s', and what points at it says otherwise", what, own);
	json_decref(json);
	return NULL;
}

static enum plan_answer check_type(struct plan_reader *reader, const json_t *entry)
{
	const char *type = json_text(entry, "mediaType");
	enum media media = media_of(entry);
	if (media == MEDIA_OLD)
		return passed_because(&reader->passed, "its manifest is Docker's old schema 1: pull and save "
				      "the image anew");
	if (media != MEDIA_INDEX && media != MEDIA_MANIFEST)
		return passed_because(&reader->passed, "it is of an unknown type: '%.100s'", type ? type : "");
	return PLAN_TAKEN;
}

static enum plan_answer follow(struct plan_reader *reader, const struct candidate *candidate, int depth)
{
	struct descriptor descriptor;
	enum media media = media_of(candidate->entry);
	if (check_type(reader, candidate->entry) == PLAN_FOREIGN)
		return PLAN_FOREIGN;
	if (plan_descriptor(reader, candidate->entry, &descriptor) < 0)
		return PLAN_FAILED;
	scoped_json *json = read_described(reader, &descriptor, media == MEDIA_INDEX ? "index" : "manifest");
	if (!json)
		return PLAN_FAILED;
	return media == MEDIA_INDEX ? read_manifests(reader, json, candidate, depth + 1)
				    : add_image(reader, json, &descriptor.digest, candidate->name);
}

static int best_score(const struct plan *plan, int first)
{
	int best = 0;
	for (int i = first; i < plan->count; i++)
		if (plan->images[i].score > best)
			best = plan->images[i].score;
	return best;
}

/* Of the images from FIRST on those before SECOND go, or else those from there on. */
static void keep_better(struct plan *plan, int first, int second)
{
	int more = plan->count - second;
	if (second > first && best_score(plan, second) > best_score(plan, first)) {
		for (int i = 0; i < more; i++) {
			struct plan_image image = plan->images[first + i];
			plan->images[first + i] = plan->images[second + i];
			plan->images[second + i] = image;
		}
		plan_cut(plan, first + more);
	} else if (second > first) {
		plan_cut(plan, second);
	}
}

/*
 * Of the group's COUNT entries one is taken: one whose descriptor suits best, and nobody looks at the
 * others; or else the one whose config does, for which all must be looked at.
 */
static enum plan_answer read_group(struct plan_reader *reader, const struct candidate *group, size_t count,
				   int depth)
{
	struct plan *plan = reader->plan;
	int first = plan->count, passed = reader->passed.count;
	bool certain = false;
	for (size_t i = 0; i < count; i++) {
		int second = plan->count;
		enum plan_answer answer = certain ? check_type(reader, group[i].entry)
						  : follow(reader, &group[i], depth);
		if (answer == PLAN_FAILED)
			return PLAN_FAILED;
		if (answer == PLAN_FOREIGN)
			pass_over(reader, group[i].entry, group[i].name);
		else if (!certain)
			keep_better(plan, first, second);
		certain |= answer == PLAN_TAKEN && group[i].score > 1;
	}
	if (plan->count == first)
		return PLAN_FOREIGN;
	passed_drop_platforms(&reader->passed, passed);
	return PLAN_TAKEN;
}

static enum plan_answer read_groups(struct plan_reader *reader, const struct index *index)
{
	enum plan_answer answer = PLAN_FOREIGN;
	for (size_t i = 0, next; i < index->count; i = next) {
		for (next = i; next < index->count &&
			       index->candidates[next].group == index->candidates[i].group;)
			next++;
		enum plan_answer one = read_group(reader, &index->candidates[i], next - i, index->depth);
		if (one == PLAN_FAILED)
			return PLAN_FAILED;
		if (one == PLAN_TAKEN)
			answer = PLAN_TAKEN;
	}
	return answer;
}

static int check_index(struct plan_reader *reader, const json_t *index, int depth)
{
	const char *path = reader->archive->path;
	size_t count = json_array_size(json_member_array(index, "manifests"));
	if (depth >= INDEX_DEPTH)
		return failx("%s: its indexes are nested more than %d deep", path, INDEX_DEPTH);
	if (json_object_get(index, "layers"))
		return failx("%s: an index that is a manifest, too, is refused", path);
	if (count > ENTRIES)
		return failx("%s: its index lists more than %d images", path, ENTRIES);
	reader->entry_count += count;
	if (reader->entry_count > ALL_ENTRIES)
		return failx("%s: its indexes list more than %d images together", path, ALL_ENTRIES);
	return 0;
}

/* PARENT: the entry that pointed at the index, or what stands for one. */
static enum plan_answer read_manifests(struct plan_reader *reader, const json_t *json,
				       const struct candidate *parent, int depth)
{
	struct index index = { .depth = depth };
	const json_t *manifests = json_member_array(json, "manifests");
	if (check_index(reader, json, depth) < 0)
		return PLAN_FAILED;
	if (!json_array_size(manifests))
		return passed_because(&reader->passed, "its index lists no image");
	enum plan_answer answer = find_candidates(reader, &index, manifests, parent) < 0
					  ? PLAN_FAILED
					  : read_groups(reader, &index);
	free(index.candidates);
	return answer;
}

int plan_read_index(struct plan_reader *reader)
{
	scoped_json *json = plan_document(reader, "index.json");
	const struct candidate all = { .wanted = !reader->options->ref };
	if (!json)
		return -1;
	enum plan_answer answer = read_manifests(reader, json, &all, 0);
	if (answer == PLAN_FOREIGN)
		passed_add(&reader->passed, "index.json");
	return answer == PLAN_FAILED ? -1 : 0;
}

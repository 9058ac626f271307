#include "launcher/command/documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/base/scoped.h"
#include "rootfs/store/about.h"
#include "rootfs/store/image.h"

/* go-units: three digits that count. */
const char *document_size(uint64_t bytes, char *text)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double size = (double)bytes;
	int i = 0;
	for (; size >= 1000 && i < 5; i++)
		size /= 1000;
	snprintf(text, 32, "%.3g%s", size, units[i]);
	return text;
}

/* The number of the calendar's day since 1970 (Howard Hinnant, days_from_civil). */
static long long days_since_1970(int year, int month, int day)
{
	year -= month <= 2;
	int era = year / 400, of_era = year - era * 400;
	int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097LL + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/*
 * RFC 3339's "2024-05-01T12:30:00.5Z", of which what stands behind the seconds is not heeded: images are dated
 * in UTC. 0: it is no time. libc's strptime and gmtime are 9 KB with their time zones.
 */
static long long read_time(const char *created)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	int numbers[6] = { 0 }, n = 0;
	for (size_t i = 0; shape[i]; i++) {
		bool digit = created[i] >= '0' && created[i] <= '9';
		if (shape[i] == 'd' ? !digit : created[i] != shape[i])
			return 0;
		if (digit)
			numbers[n] = numbers[n] * 10 + created[i] - '0';
		else
			n++;
	}
	return days_since_1970(numbers[0], numbers[1], numbers[2]) * 86400 + numbers[3] * 3600 + numbers[4] * 60 +
	       numbers[5];
}

const char *document_at(const char *created, char *text)
{
	if (read_time(created))
		snprintf(text, 32, "%.10s %.8s +0000 UTC", created, created + 11);
	else
		strcpy(text, "N/A");
	return text;
}

/* go-units' HumanDuration. */
const char *document_since(const char *created, char *text)
{
	static const struct {
		long long below, unit;
		const char *name;
	} steps[] = {
		{ 1, 1, NULL }, { 60, 1, "second" }, { 120, 60, "About a minute" }, { 3600, 60, "minute" },
		{ 7200, 3600, "About an hour" }, { 172800, 3600, "hour" }, { 1209600, 86400, "day" },
		{ 5184000, 604800, "week" }, { 63072000, 2592000, "month" }, { INT64_MAX, 31536000, "year" },
	};
	long long then = read_time(created), seconds = (long long)time(NULL) - then;
	int i = 0;
	if (!then)
		return strcpy(text, "N/A");
	while (seconds >= steps[i].below)
		i++;
	long long count = seconds / steps[i].unit;
	if (i == 0)
		strcpy(text, "Less than a second ago");
	else if (steps[i].name[0] == 'A')
		snprintf(text, 32, "%s ago", steps[i].name);
	else
		snprintf(text, 32, "%lld %s%s ago", count, steps[i].name, count == 1 ? "" : "s");
	return text;
}

static json_t *strings_json(char **at, int count)
{
	json_t *array = json_array();
	for (int i = 0; i < count; i++)
		json_array_append_new(array, json_string(at[i]));
	return array;
}

/* docker's order of the members; podman's Digest, Names and Labels among them; what only wherry knows is in Storage. */
static json_t *storage(struct store *store, const struct listed_image *image)
{
	json_t *layers = json_array();
	for (int i = 0; i < image->key_count; i++) {
		struct findings found = { 0 };
		if (about_read(store, &image->keys[i], &found) < 0)
			failure_clear();
		json_array_append_new(layers, json_pack("{s:s, s:I, s:I, s:b, s:b}", "Directory",
							image->keys[i].hex, "Entries", (json_int_t)found.entries,
							"Size", (json_int_t)found.disk, "HidesBelow",
							found.opaque_root, "DependsOnBelow", found.implied));
	}
	return json_pack("{s:s, s:I, s:b, s:o}", "Platform", image->platform, "Shared", (json_int_t)image->shared,
			 "InUse", image_in_use(store, &image->id), "Layers", layers);
}

/* The layers as overlayfs gets them, topmost first. */
static json_t *graph_driver(const struct store *store, const struct listed_image *image)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	for (int i = image->key_count - 1; out && i >= 0; i--)
		fprintf(out, "%s/layers/%s%s", store->path, image->keys[i].hex, i ? ":" : "");
	if (out)
		fclose(out);
	json_t *driver = json_pack("{s:s, s:{s:s}}", "Name", "overlay2", "Data", "LowerDir", text ? text : "");
	free(text);
	return driver;
}

/* What the config says of KEY; EMPTY where it doesn't: in docker's document all are there. */
static void take_over(json_t *to, const char *name, const json_t *config, const char *key)
{
	json_t *value = json_object_get(config, key);
	if (value)
		json_object_set(to, name, value);
	else
		json_object_set_new(to, name, json_string(""));
}

/* All members of docker's config are there, as they are in its own. */
static json_t *inner_config(const json_t *config)
{
	static const char *const texts[] = { "Hostname", "Domainname", "User", "Image", "WorkingDir" };
	static const char *const others[] = { "Env", "Cmd", "Entrypoint", "Volumes", "ExposedPorts", "OnBuild", "Labels" };
	json_t *given = json_member_object(config, "config");
	json_t *inner = given ? json_copy(given) : json_object();
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (!json_object_get(inner, texts[i]))
			json_object_set_new(inner, texts[i], json_string(""));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!json_object_get(inner, others[i]))
			json_object_set_new(inner, others[i], json_null());
	return inner;
}

json_t *document_inspect(struct store *store, const struct listed_image *image)
{
	scoped_json *config = images_config(store, &image->id);
	if (!config)
		return NULL;
	json_t *inner = inner_config(config);
	const char *digest = image->digest_count ? strchr(image->digests[0], '@') + 1 : "";
	json_t *document = json_pack("{s:s+, s:s, s:o, s:o, s:s, s:s}", "Id", "sha256:", image->id.hex, "Digest", digest,
				     "RepoTags", strings_json(image->names, image->name_count), "RepoDigests",
				     strings_json(image->digests, image->digest_count), "Parent", "", "Comment", "");
	json_object_set_new(document, "Created", json_string(image->created));
	take_over(document, "DockerVersion", config, "docker_version");
	take_over(document, "Author", config, "author");
	json_object_set(document, "Config", inner);
	take_over(document, "Architecture", config, "architecture");
	take_over(document, "Variant", config, "variant");
	take_over(document, "Os", config, "os");
	json_t *rest = json_pack("{s:I, s:I, s:o, s:{s:s, s:O?}, s:O, s:s, s:o, s:o}", "Size", (json_int_t)image->disk,
				 "VirtualSize", (json_int_t)image->disk, "GraphDriver", graph_driver(store, image),
				 "RootFS", "Type", "layers", "Layers",
				 json_object_get(json_object_get(config, "rootfs"), "diff_ids"), "Labels",
				 json_object_get(inner, "Labels"), "User", json_string_value(json_object_get(inner, "User")),
				 "Names", strings_json(image->names, image->name_count), "Storage", storage(store, image));
	if (rest)
		json_object_update(document, rest);
	json_decref(rest);
	json_decref(inner);
	return document;
}

json_t *document_listed(const struct store *store, const struct listed_image *image)
{
	char at[32];
	json_t *config = images_config(store, &image->id);
	if (!config)
		failure_clear();
	json_t *labels = json_object_get(json_object_get(config, "config"), "Labels");
	json_t *document = json_pack(
		"{s:s+, s:o, s:o, s:o, s:I, s:s, s:s, s:I, s:I, s:I, s:O*, s:s}", "Id", "sha256:", image->id.hex, "Names",
		strings_json(image->names, image->name_count), "RepoTags", strings_json(image->names, image->name_count),
		"RepoDigests", strings_json(image->digests, image->digest_count), "Created",
		(json_int_t)read_time(image->created), "CreatedAt", image->created, "CreatedTime",
		document_at(image->created, at), "Size", (json_int_t)image->disk, "VirtualSize", (json_int_t)image->disk,
		"SharedSize", (json_int_t)image->shared, "Labels", labels, "Platform", image->platform);
	json_decref(config);
	return document;
}

json_t *document_row(const struct listed_image *image, const char *name, bool whole)
{
	char size[32], shared[32], unique[32], since[32], at[32], id[80];
	const char *colon = name ? strrchr(name, ':') : NULL;
	const char *digest = image->digest_count ? strchr(image->digests[0], '@') + 1 : "<none>";
	snprintf(id, sizeof(id), whole ? "sha256:%s" : "%.12s", image->id.hex);
	document_size(image->disk, size);
	if (!image->key_count) /* a layer is missing: wherry fsck says which */
		strcpy(size, "incomplete");
	json_t *row = json_pack("{s:s, s:o, s:s, s:s, s:s}", "Containers", "N/A", "Repository",
				colon ? json_stringn(name, colon - name) : json_string("<none>"), "Tag",
				colon ? colon + 1 : "<none>", "ID", id, "Digest", digest);
	json_t *rest = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s+, s:s}", "CreatedSince",
				 document_since(image->created, since), "Created", since, "CreatedAt",
				 document_at(image->created, at), "Size", size, "SharedSize",
				 document_size(image->shared, shared), "VirtualSize", size, "UniqueSize",
				 document_size(image->disk - image->shared, unique), "Names", name ? name : "<none>",
				 "Id", "sha256:", image->id.hex, "Platform", image->platform);
	if (rest)
		json_object_update(row, rest);
	json_decref(rest);
	return row;
}

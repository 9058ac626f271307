#include "rootfs/store/names.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

static bool is_tag(const char *tag)
{
	size_t length = strlen(tag);
	if (!length || length > 128 || *tag == '.' || *tag == '-')
		return false;
	for (; *tag; tag++)
		if (!isalnum((unsigned char)*tag) && !strchr("._-", *tag))
			return false;
	return true;
}

/* a-z and 0-9, and between them one of . _ __ or any number of - */
static bool is_component(const char *text, size_t length)
{
	size_t run = 0; /* of what stands between */
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		bool between = strchr("._-", c) != NULL;
		if (!between && !islower((unsigned char)c) && !isdigit((unsigned char)c))
			return false;
		run = between ? run + 1 : 0;
		if (between && (i == 0 || (run > 1 && (c == '.' || c != text[i - 1])) ||
				(run > 2 && c == '_')))
			return false;
	}
	return length && !run;
}

/* A host's name, which may have capitals, and perhaps a port. */
static bool is_host(const char *text, size_t length)
{
	const char *colon = memchr(text, ':', length);
	size_t name = colon ? (size_t)(colon - text) : length;
	for (size_t i = 0; i < name; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    (!strchr(".-", text[i]) || i == 0 || i == name - 1 || text[i - 1] == '.'))
			return false;
	for (size_t i = name + 1; i < length; i++)
		if (!isdigit((unsigned char)text[i]))
			return false;
	return name && name + 1 != length;
}

/* What says an image's ID is no name: it would be found before the image that has the ID. */
static bool is_id(const char *name, size_t length)
{
	return (length == 6 && !memcmp(name, "sha256", 6)) ||
	       (length == DIGEST_HEX && digest_is_hex(name, length));
}

/* As docker has it (reference.go of distribution/reference), so that others take what we save. */
static bool is_repository(const char *name, size_t length)
{
	const char *end = name + length, *slash = memchr(name, '/', length);
	if (is_id(name, length))
		return false;
	if (slash && is_host(name, slash - name))
		name = slash + 1;
	while ((slash = memchr(name, '/', end - name))) {
		if (!is_component(name, slash - name))
			return false;
		name = slash + 1;
	}
	return is_component(name, end - name);
}

/* "docker.io/library/busybox", and each half of that, is "busybox". */
static const char *shorten(const char *name)
{
	static const char *const hosts[] = { "docker.io/", "index.docker.io/" };
	static const char library[] = "library/";
	for (int i = 0; i < 2; i++)
		if (!strncmp(name, hosts[i], strlen(hosts[i]))) {
			name += strlen(hosts[i]);
			break;
		}
	if (!strncmp(name, library, strlen(library)) && !strchr(name + strlen(library), '/'))
		name += strlen(library);
	return name;
}

bool names_complete(const char *name, char *full)
{
	name = shorten(name);
	const char *slash = strrchr(name, '/');
	const char *colon = strrchr(slash ? slash : name, ':');
	size_t length = colon ? (size_t)(colon - name) : strlen(name);
	const char *tag = colon ? colon + 1 : "latest";
	if (!is_repository(name, length) || !is_tag(tag) || length + 1 + strlen(tag) > NAMES_BYTES)
		return false;
	sprintf(full, "%.*s:%s", (int)length, name, tag);
	return true;
}

bool names_with_digest(const char *full, const struct digest *manifest, char *with_digest)
{
	const char *slash = strrchr(full, '/'), *colon = strrchr(slash ? slash : full, ':');
	int length = colon ? (int)(colon - full) : (int)strlen(full);
	return snprintf(with_digest, NAMES_BYTES + 1, "%.*s@sha256:%s", length, full, manifest->hex) <= NAMES_BYTES;
}

bool names_from_file(const char *file, const char *tag, char *full)
{
	char stem[NAMES_BYTES + 1];
	scoped_ptr char *copy = strdup(file);
	if (!copy || !strcmp(file, "-"))
		return false;
	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	const char *slash = strrchr(copy, '/'), *base = slash ? slash + 1 : copy;
	size_t n = 0;
	for (; base[n] && n < sizeof(stem) - 140; n++)
		stem[n] = tolower((unsigned char)base[n]);
	stem[n] = '\0';
	static const char *const suffixes[] = { ".gz",  ".zst", ".xz",    ".tgz",
						".tar", ".oci", ".docker" };
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t length = strlen(suffixes[i]);
		if (n > length && !strcmp(stem + n - length, suffixes[i]))
			stem[n -= length] = '\0';
	}
	strcat(strcat(stem, ":"), strlen(tag) <= 128 ? tag : "latest");
	return !strchr(stem, '/') && names_complete(stem, full);
}

static void to_file(const char *full, char *file)
{
	strcpy(file, full);
	for (char *c = file; *c; c++)
		if (*c == '/')
			*c = '%';
}

/* As names_get, for a file's name; an ID of "" where the file holds none, as a worn flash leaves it. */
static int read_name(const struct store *store, const char *name, struct digest *id)
{
	char line[DIGEST_HEX + 2] = "";
	scoped_fd file = openat(store->names, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT ? 0 : fail("read the name %s", name);
	ssize_t size = read(file, line, DIGEST_HEX + 1);
	if (size < 0)
		return fail("read the name %s", name);
	bool whole = size == DIGEST_HEX + 1 && digest_is_hex(line, DIGEST_HEX);
	snprintf(id->hex, sizeof(id->hex), "%.*s", whole ? DIGEST_HEX : 0, line);
	return 1;
}

int names_set(const struct store *store, const struct work *work, const char *full,
	      const struct digest *id)
{
	char file[NAMES_BYTES + 1], line[DIGEST_HEX + 2];
	struct digest now;
	to_file(full, file);
	int known = read_name(store, file, &now);
	if (known < 0)
		return -1;
	if (known && digest_equal(&now, id))
		return 0;
	snprintf(line, sizeof(line), "%s\n", id->hex);
	return store_write(work, store->names, file, line, DIGEST_HEX + 1);
}

int names_get(const struct store *store, const char *full, struct digest *id)
{
	char file[NAMES_BYTES + 1];
	if (store->names < 0)
		return 0;
	to_file(full, file);
	int found = read_name(store, file, id);
	if (found <= 0 || id->hex[0])
		return found;
	failx("the name %s holds no image ID", full);
	return hint("wherry fsck removes it; loading the image again puts it right");
}

int names_remove(const struct store *store, const char *full)
{
	char file[NAMES_BYTES + 1];
	to_file(full, file);
	if (unlinkat(store->names, file, 0) < 0 && errno != ENOENT) {
		store_hint();
		return fail("remove the name %s", full);
	}
	return fsync(store->names) < 0 ? fail("sync %s/names", store->path) : 0;
}

struct listing {
	char **names;
	size_t count;
};

static void free_listing(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->names[i]);
	free(listing->names);
}

static int add_to_listing(struct listing *listing, const char *name)
{
	char **grown = realloc(listing->names, (listing->count + 1) * sizeof(*grown));
	if (!grown)
		return fail("list the names");
	listing->names = grown;
	grown[listing->count] = strdup(name);
	return grown[listing->count] ? (listing->count++, 0) : fail("list the names");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_names(const struct store *store, struct listing *listing)
{
	int result = 0, fd = openat(store->names, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream)
		return fail("read %s/names", store->path);
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));)
		if (entry->d_name[0] != '.')
			result = add_to_listing(listing, entry->d_name);
	closedir(stream);
	if (listing->count)
		qsort(listing->names, listing->count, sizeof(*listing->names), compare_names);
	return result;
}

int names_each(const struct store *store, int (*each)(void *, const char *, const struct digest *),
	       void *context)
{
	struct listing listing = { 0 };
	struct digest id;
	if (store->names < 0)
		return 0;
	int result = list_names(store, &listing);
	for (size_t i = 0; result >= 0 && i < listing.count; i++) {
		result = read_name(store, listing.names[i], &id);
		for (char *c = listing.names[i]; *c; c++)
			if (*c == '%')
				*c = '/';
		if (result > 0)
			result = each(context, listing.names[i], &id);
	}
	free_listing(&listing);
	return result < 0 ? -1 : 0;
}

struct search {
	const char *text;  /* as it was given */
	char full[NAMES_BYTES + 1];
	char meant[NAMES_BYTES + 1]; /* the name that was found; "" */
	int names;                   /* that end so */
	struct digest found;
	int count;                   /* of images */
};

static int match_end(void *context, const char *full, const struct digest *id)
{
	struct search *search = context;
	size_t length = strlen(full), wanted = strlen(search->full);
	if (!id->hex[0] || length <= wanted || full[length - wanted - 1] != '/' ||
	    strcmp(full + length - wanted, search->full))
		return 0;
	if (!search->count || !digest_equal(&search->found, id))
		search->count++;
	search->found = *id;
	search->names++;
	snprintf(search->meant, sizeof(search->meant), "%s", full);
	return 0;
}

static int several(const struct search *search)
{
	return failx("'%s' is the end of several names: wherry images lists them", search->text);
}

/* NAME[:TAG]@sha256:… is the manifest's, whatever the tag. */
static bool complete(const char *text, char *full)
{
	char name[NAMES_BYTES + 1], complete[NAMES_BYTES + 1];
	struct digest manifest;
	const char *at = strchr(text, '@');
	if (!at || at == text)
		return names_complete(text, full);
	if (!digest_parse(at + 1, &manifest) ||
	    (size_t)snprintf(name, sizeof(name), "%.*s", (int)(at - text), text) >= sizeof(name))
		return false;
	return names_complete(name, complete) && names_with_digest(complete, &manifest, full);
}

static int find_name(const struct store *store, struct search *search)
{
	if (!complete(search->text, search->full))
		return 0;
	int got = names_get(store, search->full, &search->found);
	if (got) {
		strcpy(search->meant, search->full);
		return got;
	}
	if (names_each(store, match_end, search) < 0)
		return -1;
	return search->count > 1 ? several(search) : search->count;
}

static int find_id(const struct store *store, struct search *search)
{
	const char *prefix = search->text;
	if (*prefix == '@')
		prefix++;
	if (!strncmp(prefix, "sha256:", 7))
		prefix += 7;
	size_t length = strlen(prefix);
	if (length < (prefix == search->text ? 4 : 1) || length > DIGEST_HEX ||
	    !digest_is_hex(prefix, length))
		return 0;
	int fd = store->images < 0 ? -1
				   : openat(store->images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream)
		return 0;
	for (struct dirent *entry; (entry = readdir(stream));)
		if (!strncmp(entry->d_name, prefix, length) &&
		    strlen(entry->d_name) == DIGEST_HEX) {
			memcpy(search->found.hex, entry->d_name, DIGEST_HEX + 1);
			search->count++;
		}
	closedir(stream);
	return search->count > 1
		       ? failx("'%s' is the beginning of several images' IDs", search->text)
		       : search->count;
}

int names_find(const struct store *store, const char *text, struct digest *id, char *full)
{
	struct search search = { .text = text };
	int found = find_name(store, &search);
	if (found == 0) {
		search.count = 0;
		found = find_id(store, &search);
	}
	*id = search.found;
	if (found > 0 && full && search.names > 1)
		return several(&search);
	if (full)
		strcpy(full, search.meant);
	return found;
}

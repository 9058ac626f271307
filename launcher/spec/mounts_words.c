/* --mount: a mount in words. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>

#include "rootfs/base/words.h"
#include "rootfs/base/paths.h"
#include "launcher/spec/mounts.h"
#include "launcher/spec/volume_name.h"
#include "rootfs/base/err.h"

/* What --mount says of one mount; NULL: nothing. */
struct mount_words {
	const char *type, *source, *target, *read_only, *size, *mode, *propagation, *alone, *recursive, *no_copy;
	const char *consistency;
};

#define KIND(kind) (1U << (kind))
#define ANY_KIND (KIND(MOUNT_BIND) | KIND(MOUNT_TMPFS) | KIND(MOUNT_VOLUME))

/* docker-run(1)'s keys and their other names, and the types for which each has a meaning. */
static const struct {
	const char *key;
	size_t offset;
	unsigned kinds;
	bool flag; /* without a value it is true */
} mount_keys[] = {
	{ "type", offsetof(struct mount_words, type), ANY_KIND, false },
	{ "source", offsetof(struct mount_words, source), KIND(MOUNT_BIND) | KIND(MOUNT_VOLUME), false },
	{ "src", offsetof(struct mount_words, source), KIND(MOUNT_BIND) | KIND(MOUNT_VOLUME), false },
	{ "target", offsetof(struct mount_words, target), ANY_KIND, false },
	{ "destination", offsetof(struct mount_words, target), ANY_KIND, false },
	{ "dst", offsetof(struct mount_words, target), ANY_KIND, false },
	{ "readonly", offsetof(struct mount_words, read_only), ANY_KIND, true },
	{ "ro", offsetof(struct mount_words, read_only), ANY_KIND, true },
	{ "tmpfs-size", offsetof(struct mount_words, size), KIND(MOUNT_TMPFS), false },
	{ "tmpfs-mode", offsetof(struct mount_words, mode), KIND(MOUNT_TMPFS), false },
	{ "bind-propagation", offsetof(struct mount_words, propagation), KIND(MOUNT_BIND), false },
	{ "bind-nonrecursive", offsetof(struct mount_words, alone), KIND(MOUNT_BIND), true },
	{ "bind-recursive", offsetof(struct mount_words, recursive), KIND(MOUNT_BIND), false },
	{ "consistency", offsetof(struct mount_words, consistency), ANY_KIND, false },
	{ "volume-nocopy", offsetof(struct mount_words, no_copy), KIND(MOUNT_VOLUME), true },
};

enum { MOUNT_KEYS = sizeof(mount_keys) / sizeof(*mount_keys) };

static const char **word_at(struct mount_words *words, size_t key)
{
	return (const char **)((char *)words + mount_keys[key].offset);
}

static int read_key(struct mount_words *words, const char *key, const char *value, const char *whole)
{
	for (size_t i = 0; i < MOUNT_KEYS; i++) {
		if (strcasecmp(key, mount_keys[i].key) || (!value && !mount_keys[i].flag))
			continue;
		*word_at(words, i) = value ? value : "true";
		return 0;
	}
	return failx("--mount %s: unknown key '%s'", whole, key);
}

static int read_words(struct mount_words *words, const char *whole)
{
	char *text = strdup(whole);
	if (!text)
		return fail("--mount %s", whole);
	for (char *word; (word = strsep(&text, ","));) {
		char *value = word, *key = strsep(&value, "=");
		if (read_key(words, key, value, whole) < 0)
			return -1;
	}
	return 0;
}

static int read_flag(bool *flag, const char *key, const char *value)
{
	*flag = false;
	if (!value || bool_parse(value, flag) == 0)
		return 0;
	return failx("--mount: %s takes true or false, not '%s'", key, value);
}

/* Docker's two ways to say it: the older is a flag. */
static int read_recursion(struct mount *mount, const struct mount_words *words)
{
	const char *word = words->recursive;
	if (read_flag(&mount->alone, "bind-nonrecursive", words->alone) < 0)
		return -1;
	if (!word)
		return 0;
	if (strcmp(word, "enabled") && strcmp(word, "disabled"))
		return failx("--mount: bind-recursive: '%s' is not enabled or disabled", word);
	mount->alone = !strcmp(word, "disabled");
	return 0;
}

static int build_bind(struct mount *mount, const struct mount_words *words, const char *whole)
{
	if (!words->source)
		return failx("--mount %s: it has no source", whole);
	if (words->propagation && !spec_mounts_propagation(mount, words->propagation))
		return failx("--mount %s: unknown propagation '%s'", whole, words->propagation);
	if (read_recursion(mount, words) < 0)
		return -1;
	mount->source = path_clean(words->source);
	return mount->source ? 0 : -1;
}

static int build_tmpfs(struct mount *mount, const struct mount_words *words, const char *whole)
{
	const char *mode = words->mode ? words->mode : "1777"; /* what tmpfs has by itself */
	char *data = NULL;
	long long size = words->size ? size_parse(words->size) : 0;
	size_t digits = strspn(mode, "01234567");
	if (size < 0)
		return failx("--mount %s: '%s' is not a size", whole, words->size);
	if (!digits || digits > 5 || mode[digits])
		return failx("--mount %s: '%s' is not an octal mode", whole, mode);
	if ((words->size ? asprintf(&data, "mode=%s,size=%lld", mode, size)
			 : asprintf(&data, "mode=%s", mode)) < 0)
		return fail("--mount %s", whole);
	mount->flags |= MS_NOEXEC | MS_NOSUID | MS_NODEV;
	mount->data = data;
	return 0;
}

/* Without a name it is one that ends with the container. */
static int build_volume(struct mount *mount, const struct mount_words *words, const char *whole)
{
	mount->kind = words->source ? MOUNT_BIND : MOUNT_VOLUME;
	mount->volume = words->source;
	if (read_flag(&mount->no_copy, "volume-nocopy", words->no_copy) < 0)
		return -1;
	if (words->source && !volumes_is_name(words->source))
		return failx("--mount %s: '%s' cannot be a volume's name", whole, words->source);
	if (!words->source && (mount->flags & MS_RDONLY || mount->no_copy))
		return failx("--mount %s: a volume without a source ends with the container", whole);
	return 0;
}

/* In the order of enum mount_kind. */
static const struct {
	const char *name;
	int (*build)(struct mount *, const struct mount_words *, const char *whole);
} mount_types[] = {
	[MOUNT_BIND] = { "bind", build_bind },
	[MOUNT_TMPFS] = { "tmpfs", build_tmpfs },
	[MOUNT_VOLUME] = { "volume", build_volume },
};

/* Returns its type, -1 with a failure. As docker has it, what would have no effect is refused. */
static int find_type(struct mount_words *words, const char *whole)
{
	int kind = MOUNT_BIND;
	const char *name = words->type ? words->type : "volume";
	while (kind <= MOUNT_VOLUME && strcasecmp(name, mount_types[kind].name))
		kind++;
	if (kind > MOUNT_VOLUME)
		return failx("--mount %s: the type is bind, tmpfs or volume", whole);
	for (size_t i = 0; i < MOUNT_KEYS; i++)
		if (*word_at(words, i) && !(mount_keys[i].kinds & KIND(kind)))
			return failx("--mount %s: a %s has no %s", whole, mount_types[kind].name,
				     mount_keys[i].key);
	return kind;
}

/* type=bind|tmpfs|volume,source=SRC,target=DST,…; as docker has it, a volume by default */
int spec_mounts_words(struct spec *spec, const char *whole)
{
	struct mount_words words = { 0 };
	bool read_only;
	if (read_words(&words, whole) < 0)
		return -1;
	if (!words.target)
		return failx("--mount %s: it has no target", whole);
	int kind = find_type(&words, whole);
	if (kind < 0 || read_flag(&read_only, "readonly", words.read_only) < 0)
		return -1;
	struct mount *mount = spec_mounts_add(spec, "--mount", words.target);
	if (!mount)
		return -1;
	if (words.consistency && strcmp(words.consistency, "default") &&
	    !spec_mounts_is_consistency(words.consistency))
		return failx("--mount %s: unknown consistency '%s'", whole, words.consistency);
	mount->kind = (enum mount_kind)kind;
	mount->flags = read_only ? MS_RDONLY : 0;
	return mount_types[kind].build(mount, &words, whole);
}

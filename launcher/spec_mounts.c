#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <unistd.h>

#include "launcher/paths.h"
#include "launcher/spec_build.h"
#include "launcher/volumes.h"
#include "rootfs/err.h"

/* Absolute, not the root itself, and without a component that would climb. */
static int check_target(const char *option, const char *target)
{
	if (target[0] != '/' || !target[strspn(target, "/")])
		return failx("%s: '%s' is no absolute path below /", option, target);
	for (const char *part = target; *part;) {
		part += strspn(part, "/");
		size_t length = strcspn(part, "/");
		if (length == 2 && !strncmp(part, "..", 2))
			return failx("%s: '%s' has a .. in it", option, target);
		part += length;
	}
	return 0;
}

static struct mount *add(struct spec *spec)
{
	struct mount *grown = realloc(spec->mounts, (spec->mount_count + 1) * sizeof(*grown));
	if (!grown) {
		fail("add a mount");
		return NULL;
	}
	spec->mounts = grown;
	grown += spec->mount_count++;
	*grown = (struct mount){ 0 };
	return grown;
}

static int add_volume(struct spec *spec, const char *target)
{
	if (check_target("--volume", target) < 0)
		return -1;
	struct mount *mount = add(spec);
	if (!mount)
		return -1;
	mount->kind = MOUNT_VOLUME;
	mount->target = target;
	return 0;
}

static const struct {
	const char *word;
	unsigned long flags;
} propagations[] = {
	{ "private", MS_PRIVATE }, { "rprivate", MS_PRIVATE | MS_REC },
	{ "slave", MS_SLAVE },     { "rslave", MS_SLAVE | MS_REC },
	{ "shared", MS_SHARED },   { "rshared", MS_SHARED | MS_REC },
};

static bool set_propagation(struct mount *mount, const char *word)
{
	for (size_t i = 0; i < sizeof(propagations) / sizeof(*propagations); i++) {
		if (strcmp(word, propagations[i].word))
			continue;
		mount->propagation = propagations[i].flags;
		return true;
	}
	return false;
}

/* z and Z have files relabelled for SELinux, as docker does where it runs: elsewhere nothing is to do. */
static bool is_label(const char *word)
{
	return (!strcmp(word, "z") || !strcmp(word, "Z")) && access("/sys/fs/selinux", F_OK) < 0;
}

/* docker-run(1): how soon a virtual machine around docker passes changes on. There is none here. */
static bool is_consistency(const char *word)
{
	return !strcmp(word, "consistent") || !strcmp(word, "cached") || !strcmp(word, "delegated");
}

static int parse_bind_options(struct mount *mount, char *words, const char *whole)
{
	for (char *word; (word = strsep(&words, ","));) {
		if (!strcmp(word, "ro"))
			mount->flags |= MS_RDONLY;
		else if (mount->volume && !strcmp(word, "nocopy"))
			mount->no_copy = true;
		else if (strcmp(word, "rw") && !is_label(word) && !is_consistency(word) &&
			 !set_propagation(mount, word))
			return failx("--volume %s: unknown option '%s'", whole, word);
	}
	return 0;
}

/* A path of the host, or the name of a volume. */
static int set_source(struct mount *mount, const char *source, const char *whole)
{
	mount->kind = MOUNT_BIND;
	if (source[0] == '/' || source[0] == '.') {
		mount->create = true;
		mount->source = path_clean(source);
		return mount->source ? 0 : -1;
	}
	mount->volume = source;
	if (volumes_is_name(source))
		return 0;
	failx("--volume %s: '%s' is neither a path nor a volume's name", whole, source);
	return hint("a path begins with / or ./, a name has letters, digits and _.- alone");
}

/* SRC:DST[:OPTIONS], or DST alone for a volume that ends with the container. */
static int parse_volume(struct spec *spec, const char *whole)
{
	char *text = strdup(whole);
	if (!text)
		return fail("--volume %s", whole);
	char *source = strsep(&text, ":");
	char *target = strsep(&text, ":");
	if (!target)
		return add_volume(spec, source);
	if (check_target("--volume", target) < 0)
		return -1;
	struct mount *mount = add(spec);
	if (!mount || set_source(mount, source, whole) < 0)
		return -1;
	mount->target = target;
	return parse_bind_options(mount, text, whole);
}

/* What mount(8) writes among the options but mount(2) wants as flags. */
static const struct {
	const char *word;
	unsigned long set, clear;
} tmpfs_flags[] = {
	{ "ro", MS_RDONLY, 0 },     { "rw", 0, MS_RDONLY },
	{ "exec", 0, MS_NOEXEC },   { "noexec", MS_NOEXEC, 0 },
	{ "suid", 0, MS_NOSUID },   { "nosuid", MS_NOSUID, 0 },
	{ "dev", 0, MS_NODEV },     { "nodev", MS_NODEV, 0 },
	{ "atime", 0, MS_NOATIME }, { "noatime", MS_NOATIME, 0 },
	{ "relatime", MS_RELATIME, MS_NOATIME }, { "strictatime", MS_STRICTATIME, MS_NOATIME },
	{ "diratime", 0, MS_NODIRATIME }, { "nodiratime", MS_NODIRATIME, 0 },
	{ "async", 0, MS_SYNCHRONOUS }, { "sync", MS_SYNCHRONOUS, 0 },
	{ "dirsync", MS_DIRSYNC, 0 }, { "defaults", 0, 0 },
};

static bool apply_flag(struct mount *mount, const char *word)
{
	for (size_t i = 0; i < sizeof(tmpfs_flags) / sizeof(*tmpfs_flags); i++) {
		if (strcmp(word, tmpfs_flags[i].word))
			continue;
		mount->flags = (mount->flags & ~tmpfs_flags[i].clear) | tmpfs_flags[i].set;
		return true;
	}
	return false;
}

/* DST[:OPTIONS]; docker's defaults: rw,noexec,nosuid,nodev. The kernel judges the other words. */
static int parse_tmpfs(struct spec *spec, const char *whole)
{
	char *text = strdup(whole);
	if (!text)
		return fail("--tmpfs %s", whole);
	char *target = strsep(&text, ":");
	if (check_target("--tmpfs", target) < 0)
		return -1;
	struct mount *mount = add(spec);
	char *data = calloc(1, strlen(whole) + 1);
	if (!mount || !data)
		return fail("--tmpfs %s", whole);
	mount->kind = MOUNT_TMPFS;
	mount->target = target;
	mount->flags = MS_NOEXEC | MS_NOSUID | MS_NODEV;
	for (char *word; (word = strsep(&text, ","));) {
		if (apply_flag(mount, word))
			continue;
		strcat(data, *data ? "," : "");
		strcat(data, word);
	}
	mount->data = data;
	return 0;
}

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
	*flag = value && (!strcmp(value, "true") || !strcmp(value, "1"));
	if (!value || *flag || !strcmp(value, "false") || !strcmp(value, "0"))
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
	if (words->propagation && !set_propagation(mount, words->propagation))
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
static int parse_mount(struct spec *spec, const char *whole)
{
	struct mount_words words = { 0 };
	bool read_only;
	if (read_words(&words, whole) < 0)
		return -1;
	if (!words.target)
		return failx("--mount %s: it has no target", whole);
	int kind = find_type(&words, whole);
	if (kind < 0 || check_target("--mount", words.target) < 0 ||
	    read_flag(&read_only, "readonly", words.read_only) < 0)
		return -1;
	struct mount *mount = add(spec);
	if (!mount)
		return -1;
	if (words.consistency && strcmp(words.consistency, "default") && !is_consistency(words.consistency))
		return failx("--mount %s: unknown consistency '%s'", whole, words.consistency);
	mount->kind = (enum mount_kind)kind;
	mount->target = words.target;
	mount->flags = read_only ? MS_RDONLY : 0;
	return mount_types[kind].build(mount, &words, whole);
}

static bool is_mounted(const struct spec *spec, const char *target)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (!strcmp(spec->mounts[i].target, target))
			return true;
	return false;
}

static size_t depth(const char *path)
{
	size_t parts = 0;
	while (*(path += strspn(path, "/"))) {
		parts++;
		path += strcspn(path, "/");
	}
	return parts;
}

/* /data has to be mounted before /data/sub. Stable, so that the last of two on one target is seen. */
static void sort_by_depth(struct spec *spec)
{
	for (size_t i = 1; i < spec->mount_count; i++) {
		struct mount moved = spec->mounts[i];
		size_t to = i;
		for (; to > 0 && depth(spec->mounts[to - 1].target) > depth(moved.target); to--)
			spec->mounts[to] = spec->mounts[to - 1];
		spec->mounts[to] = moved;
	}
}

/* mount_namespaces(7): what a user namespace mounts never shows in the one that it came from. */
static int check_shared(const struct spec *spec)
{
	if (!spec->root.unprivileged && !spec_is_mapped(spec))
		return 0;
	for (size_t i = 0; i < spec->mount_count; i++)
		if (spec->mounts[i].propagation & MS_SHARED)
			return failx("%s: from a user namespace no mount reaches the host: not shared",
				     spec->mounts[i].target);
	return 0;
}

int spec_build_mounts(struct spec *spec, const struct run_options *given,
		      const struct image_config *config)
{
	for (size_t i = 0; i < given->volumes.count; i++)
		if (parse_volume(spec, given->volumes.at[i]) < 0)
			return -1;
	for (size_t i = 0; i < given->tmpfs.count; i++)
		if (parse_tmpfs(spec, given->tmpfs.at[i]) < 0)
			return -1;
	for (size_t i = 0; i < given->mounts.count; i++)
		if (parse_mount(spec, given->mounts.at[i]) < 0)
			return -1;
	for (char **target = config->volumes; target && *target; target++)
		if (!is_mounted(spec, *target) && add_volume(spec, *target) < 0)
			return -1;
	sort_by_depth(spec);
	return check_shared(spec);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int parse_bind_options(struct mount *mount, char *words, const char *whole)
{
	for (char *word; (word = strsep(&words, ","));) {
		if (!strcmp(word, "ro"))
			mount->flags |= MS_RDONLY;
		else if (mount->volume && !strcmp(word, "nocopy"))
			mount->no_copy = true;
		else if (strcmp(word, "rw") && !is_label(word) && !set_propagation(mount, word))
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
	{ "noatime", MS_NOATIME, 0 },
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

/* What --mount says of one mount; NULL and false: nothing. */
struct mount_words {
	const char *type, *source, *target, *size, *mode, *propagation;
	bool read_only, no_copy;
};

static bool is_true(const char *value)
{
	return !value || !strcmp(value, "true") || !strcmp(value, "1");
}

/* docker-run(1)'s keys and their other names. */
static int read_key(struct mount_words *words, const char *key, const char *value, const char *whole)
{
	static const struct {
		const char *key;
		size_t offset;
	} keys[] = {
		{ "type", offsetof(struct mount_words, type) },
		{ "source", offsetof(struct mount_words, source) },
		{ "src", offsetof(struct mount_words, source) },
		{ "target", offsetof(struct mount_words, target) },
		{ "destination", offsetof(struct mount_words, target) },
		{ "dst", offsetof(struct mount_words, target) },
		{ "tmpfs-size", offsetof(struct mount_words, size) },
		{ "tmpfs-mode", offsetof(struct mount_words, mode) },
		{ "bind-propagation", offsetof(struct mount_words, propagation) },
	};
	if (!strcmp(key, "readonly") || !strcmp(key, "ro")) {
		words->read_only = is_true(value);
		return 0;
	}
	if (!strcmp(key, "volume-nocopy")) {
		words->no_copy = is_true(value);
		return 0;
	}
	for (size_t i = 0; value && i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(key, keys[i].key))
			continue;
		*(const char **)((char *)words + keys[i].offset) = value;
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

static int build_bind(struct mount *mount, const struct mount_words *words, const char *whole)
{
	mount->kind = MOUNT_BIND;
	if (!words->source)
		return failx("--mount %s: it has no source", whole);
	if (words->propagation && !set_propagation(mount, words->propagation))
		return failx("--mount %s: unknown propagation '%s'", whole, words->propagation);
	mount->source = path_clean(words->source);
	return mount->source ? 0 : -1;
}

static int build_tmpfs(struct mount *mount, const struct mount_words *words, const char *whole)
{
	char *data = NULL;
	if (words->source)
		return failx("--mount %s: a tmpfs has no source", whole);
	if (asprintf(&data, "%s%s%s%s%s", words->size ? "size=" : "", words->size ? words->size : "",
		     words->size && words->mode ? "," : "", words->mode ? "mode=" : "",
		     words->mode ? words->mode : "") < 0)
		return fail("--mount %s", whole);
	mount->kind = MOUNT_TMPFS;
	mount->flags |= MS_NOEXEC | MS_NOSUID | MS_NODEV;
	mount->data = data;
	return 0;
}

/* Without a name it is one that ends with the container. */
static int build_volume(struct mount *mount, const struct mount_words *words, const char *whole)
{
	mount->kind = words->source ? MOUNT_BIND : MOUNT_VOLUME;
	mount->volume = words->source;
	mount->no_copy = words->no_copy;
	if (words->source && !volumes_is_name(words->source))
		return failx("--mount %s: '%s' cannot be a volume's name", whole, words->source);
	if (!words->source && (words->read_only || words->no_copy))
		return failx("--mount %s: a volume without a source ends with the container", whole);
	return 0;
}

/* type=bind|tmpfs|volume,source=SRC,target=DST,…; as docker has it, a volume by default */
static int parse_mount(struct spec *spec, const char *whole)
{
	struct mount_words words = { 0 };
	if (read_words(&words, whole) < 0)
		return -1;
	if (!words.target)
		return failx("--mount %s: it has no target", whole);
	if (check_target("--mount", words.target) < 0)
		return -1;
	struct mount *mount = add(spec);
	if (!mount)
		return -1;
	mount->target = words.target;
	mount->flags = words.read_only ? MS_RDONLY : 0;
	if (words.type && !strcmp(words.type, "bind"))
		return build_bind(mount, &words, whole);
	if (words.type && !strcmp(words.type, "tmpfs"))
		return build_tmpfs(mount, &words, whole);
	if (!words.type || !strcmp(words.type, "volume"))
		return build_volume(mount, &words, whole);
	return failx("--mount %s: the type is bind, tmpfs or volume", whole);
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

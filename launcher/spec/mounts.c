#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "rootfs/base/paths.h"
#include "launcher/spec/build.h"
#include "launcher/spec/mounts.h"
#include "launcher/spec/volume_name.h"
#include "rootfs/base/err.h"

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

struct mount *spec_mounts_add(struct spec *spec, const char *option, const char *target)
{
	if (check_target(option, target) < 0)
		return NULL;
	char *clean = path_clean(target);
	struct mount *grown = realloc(spec->mounts, (spec->mount_count + 1) * sizeof(*grown));
	if (!clean || !grown) {
		fail("add a mount");
		return NULL;
	}
	spec->mounts = grown;
	grown += spec->mount_count++;
	*grown = (struct mount){ .target = clean };
	return grown;
}

static int add_volume(struct spec *spec, const char *target)
{
	struct mount *mount = spec_mounts_add(spec, "--volume", target);
	if (!mount)
		return -1;
	mount->kind = MOUNT_VOLUME;
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

bool spec_mounts_propagation(struct mount *mount, const char *word)
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

bool spec_mounts_is_consistency(const char *word)
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
		else if (strcmp(word, "rw") && !is_label(word) && !spec_mounts_is_consistency(word) &&
			 !spec_mounts_propagation(mount, word))
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
	struct mount *mount = spec_mounts_add(spec, "--volume", target);
	if (!mount || set_source(mount, source, whole) < 0)
		return -1;
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
	struct mount *mount = spec_mounts_add(spec, "--tmpfs", target);
	char *data = calloc(1, strlen(whole) + 1);
	if (!mount)
		return -1;
	if (!data)
		return fail("--tmpfs %s", whole);
	mount->kind = MOUNT_TMPFS;
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

/* Another mount on the target of SPEC's mount I. */
static const struct mount *find_twin(const struct spec *spec, size_t i)
{
	for (size_t k = 0; k < spec->mount_count; k++)
		if (k != i && !strcmp(spec->mounts[k].target, spec->mounts[i].target))
			return &spec->mounts[k];
	return NULL;
}

/* docker's daemon: a volume that only the image wants, or -v without a source, gives way; else it is an error. */
static int check_twins(struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count;) {
		struct mount *mount = &spec->mounts[i];
		const struct mount *twin = find_twin(spec, i);
		if (twin && mount->kind == MOUNT_VOLUME)
			*mount = spec->mounts[--spec->mount_count];
		else if (twin && twin->kind != MOUNT_VOLUME)
			return failx("duplicate mount point: %s", mount->target);
		else
			i++;
	}
	return 0;
}

/*
 * Whoever wrote a volume before may have left nodes of the host's disks there, if its kernel holds nobody to his
 * devices. A volume shows devices to whom devices are given, and what a person puts in /dev.
 */
static void deny_devices(struct spec *spec, const struct run_options *given)
{
	bool asked = given->devices.count || given->device_rules.count;
	for (size_t i = 0; i < spec->mount_count; i++) {
		struct mount *mount = &spec->mounts[i];
		bool in_dev = mount->source && (!strcmp(mount->target, "/dev") || !strncmp(mount->target, "/dev/", 5));
		if (mount->kind != MOUNT_TMPFS && !spec->privileged && !in_dev && (!asked || spec->root.unprivileged))
			mount->flags |= MS_NODEV;
	}
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

/* /data has to be mounted before /data/sub. */
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
		if (spec_mounts_words(spec, given->mounts.at[i]) < 0)
			return -1;
	for (char **target = config->volumes; target && *target; target++)
		if (add_volume(spec, *target) < 0)
			return -1;
	if (check_twins(spec) < 0)
		return -1;
	deny_devices(spec, given);
	sort_by_depth(spec);
	return check_shared(spec);
}

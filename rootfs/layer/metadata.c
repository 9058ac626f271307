#include "rootfs/layer/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/decode/records.h"
#include "rootfs/layer/attributes.h"

enum { ATTRIBUTE_NAME = 255 }; /* XATTR_NAME_MAX */

/* ext4 has 4 KB for the attributes of a file, and what goes beyond them is ENOSPC, too. Keeps errno. */
static void explain_space(int file)
{
	struct statfs system;
	int err = errno;
	if (fstatfs(file, &system) == 0 && system.f_bfree > 256)
		hint("the disk isn't full: its file system has no room for so much beside one file");
	errno = err;
}

static int set_attribute(struct tree *tree, int file, const char *name, const void *value,
			 size_t size)
{
	if (!attributes_is_kept(name) || fsetxattr(file, name, value, size, 0) == 0)
		return 0;
	if (errno == ENOSPC)
		explain_space(file);
	/* EPERM: user.* is for files and directories alone, xattr(7) */
	if (errno != ENOTSUP && errno != EPERM) {
		char why[ATTRIBUTE_NAME + 64];
		snprintf(why, sizeof(why), "set its attribute %s", name);
		return tree_fail(tree, why);
	}
	left_out_attribute(&tree->found.left_out, name);
	return 0;
}

/* The records are the decoder's: their sizes may be anything. */
static int set_attributes(struct tree *tree, int file, const struct entry *entry)
{
	const unsigned char *at = entry->attributes;
	size_t left = entry->attributes_size;
	while (left) {
		struct attribute_record record;
		char name[ATTRIBUTE_NAME + 1];
		if (left < sizeof(record))
			return tree_failx(tree, "its attributes make no sense");
		memcpy(&record, at, sizeof(record));
		at += sizeof(record);
		left -= sizeof(record);
		if (record.name_size > left || record.value_size > left - record.name_size)
			return tree_failx(tree, "its attributes make no sense");
		if (record.name_size > ATTRIBUTE_NAME)
			return tree_failx(tree,
					  "the name of an attribute is longer than 255 bytes");
		memcpy(name, at, record.name_size);
		name[record.name_size] = '\0';
		if (set_attribute(tree, file, name, at + record.name_size, record.value_size) < 0)
			return -1;
		at += record.name_size + record.value_size;
		left -= record.name_size + record.value_size;
	}
	return 0;
}

/*
 * EINVAL: an id that the user namespace doesn't have (user_namespaces(7)). The file is root's then,
 * and loses its setuid bits, which were another's. Returns the bits of the mode that may be set, or
 * -1.
 */
static int set_owner(struct tree *tree, const struct entry *entry, int at, const char *name)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
	if (fchownat(at, name, entry->uid, entry->gid, flags) == 0)
		return 07777;
	if (errno != EINVAL || !tree->in_namespace)
		return tree_fail(tree, "set its owner");
	tree->found.left_out.owners = true;
	return fchownat(at, name, 0, 0, flags) < 0 ? tree_fail(tree, "set its owner") : 01777;
}

/*
 * Mostly a file has been made with what it shall have, and a look costs less than to set it again.
 * Its mode may differ by a default ACL, its group by a setgid directory above or a mount option.
 */
static int set_owner_and_mode(struct tree *tree, int file, const struct entry *entry)
{
	struct stat st;
	int bits = 07777;
	if (fstat(file, &st) < 0)
		return tree_fail(tree, "look at it");
	bool owned = st.st_uid == entry->uid && st.st_gid == entry->gid;
	if (!owned && (bits = set_owner(tree, entry, file, "")) < 0)
		return -1;
	if (owned && (st.st_mode & 07777) == (entry->mode & 07777))
		return 0;
	return fchmod(file, entry->mode & bits) < 0 ? tree_fail(tree, "set its mode") : 0;
}

/* chown(2) clears the setuid bits and capabilities, writing clears capabilities: so this order. */
int metadata_set(struct tree *tree, int file, const struct entry *entry)
{
	return set_owner_and_mode(tree, file, entry) < 0 ? -1 : set_attributes(tree, file, entry);
}

int metadata_set_times(struct tree *tree, int file, const struct entry *entry)
{
	return futimens(file, entry->times) < 0 ? tree_fail(tree, "set its times") : 0;
}

int metadata_drop_attributes(struct tree *tree, int dir)
{
	const char *names;
	ssize_t size = attributes_list(dir, &names);
	if (size < 0)
		return tree_fail(tree, "list its attributes");
	for (const char *name = names; name < names + size; name += strlen(name) + 1)
		if (attributes_is_kept(name) && fremovexattr(dir, name) < 0)
			return tree_fail(tree, "remove an attribute");
	return 0;
}

int metadata_set_special(struct tree *tree, const struct entry *entry, int dir,
			 const char *name)
{
	int bits = set_owner(tree, entry, dir, name);
	if (bits < 0)
		return -1;
	/* We have just made it, and nobody else writes here: it is what NAME says, and no link. */
	if (!S_ISLNK(entry->mode) && fchmodat(dir, name, entry->mode & bits, 0) < 0)
		return tree_fail(tree, "set its mode");
	if (utimensat(dir, name, entry->times, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_fail(tree, "set its times");
	return 0;
}

#include "rootfs/layer/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "rootfs/layer/attributes.h"
#include "rootfs/base/err.h"
#include "rootfs/layer/links.h"
#include "rootfs/layer/path.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/userns.h"

struct copy {
	int to; /* the new tree's root, borrowed */
	struct links links; /* notes: the first names, owned */
	bool in_namespace; /* a user namespace: some owners and no devices can be made (rule 22) */
	bool warned_attributes, warned_devices, warned_owners;
	char path[PATH_BYTES + 2]; /* of the entry at hand, from the root */
	char buffer[65536];        /* data, or an attribute's value: XATTR_SIZE_MAX */
};

/* An entry where it is and where it goes. */
struct place {
	int from, to; /* the directories, borrowed */
	const char *name;
};

static int copy_fail(const struct copy *copy)
{
	return fail("copy %.400s", *copy->path ? copy->path : "the directory itself");
}

/* What a layer may have, and what an image that is a directory may have besides: access control lists. */
static bool is_kept(const char *name)
{
	return attributes_is_kept(name) || !strncmp(name, "system.posix_acl_", 17);
}

static int copy_attribute(struct copy *copy, int from, int to, const char *name)
{
	ssize_t size = fgetxattr(from, name, copy->buffer, sizeof(copy->buffer));
	if (size < 0)
		return copy_fail(copy);
	if (fsetxattr(to, name, copy->buffer, (size_t)size, 0) == 0)
		return 0;
	if (errno != ENOTSUP)
		return copy_fail(copy);
	if (!copy->warned_attributes)
		warn("extended attributes are left out: the store's file system has none of %s", name);
	copy->warned_attributes = true;
	return 0;
}

static int copy_attributes(struct copy *copy, int from, int to)
{
	const char *names;
	ssize_t size = attributes_list(from, &names);
	if (size < 0)
		return copy_fail(copy);
	for (const char *name = names; name < names + size; name += strlen(name) + 1)
		if (is_kept(name) && copy_attribute(copy, from, to, name) < 0)
			return -1;
	return 0;
}

/*
 * EINVAL: an id that the user namespace doesn't have (user_namespaces(7)). The file is root's then,
 * without the setuid bits, which were another's. Returns the bits of the mode that may be set.
 */
static int set_owner(struct copy *copy, const struct stat *st, int at, const char *name)
{
	if (fchownat(at, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0)
		return 07777;
	if (errno != EINVAL || !copy->in_namespace)
		return copy_fail(copy);
	if (!copy->warned_owners)
		warn("owners are left out that /etc/subuid and /etc/subgid don't reach: root has "
		     "their files");
	copy->warned_owners = true;
	return 01777;
}

/* chown(2) clears setuid bits and capabilities, writing clears capabilities: so this order. */
static int copy_metadata(struct copy *copy, int from, int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int bits = set_owner(copy, st, to, "");
	if (bits < 0)
		return -1;
	if (fchmod(to, st->st_mode & (mode_t)bits) < 0)
		return copy_fail(copy);
	if (copy_attributes(copy, from, to) < 0)
		return -1;
	return futimens(to, times) < 0 ? copy_fail(copy) : 0;
}

static int copy_range(struct copy *copy, int from, int to, off_t at, off_t end)
{
	while (at < end) {
		off_t left = end - at;
		size_t size = left < (off_t)sizeof(copy->buffer) ? (size_t)left : sizeof(copy->buffer);
		ssize_t n = pread(from, copy->buffer, size, at);
		if (n < 0)
			return copy_fail(copy);
		if (n == 0)
			return failx("copy %.400s: it is shorter than it was", copy->path);
		for (ssize_t done = 0; done < n;) {
			ssize_t m = pwrite(to, copy->buffer + done, (size_t)(n - done), at + done);
			if (m < 0)
				return copy_fail(copy);
			done += m;
		}
		at += n;
	}
	return 0;
}

/* lseek(2): a file system that knows of no holes calls all of a file data. */
static int copy_data(struct copy *copy, int from, int to, off_t size)
{
	for (off_t at = 0; at < size;) {
		off_t data = lseek(from, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break; /* a hole up to the end */
		off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (hole < 0 || hole > size)
			hole = size;
		if (copy_range(copy, from, to, data < 0 ? at : data, hole) < 0)
			return -1;
		at = hole;
	}
	return ftruncate(to, size) < 0 ? copy_fail(copy) : 0;
}

static int copy_file(struct copy *copy, const struct place *place, const struct stat *st)
{
	scoped_fd from = openat(place->from, place->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0)
		return copy_fail(copy);
	scoped_fd to = openat(place->to, place->name,
			      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return copy_fail(copy);
	if (copy_data(copy, from, to, st->st_size) < 0)
		return -1;
	return copy_metadata(copy, from, to, st);
}

static int make_special(struct copy *copy, const struct place *place, const struct stat *st)
{
	if (!S_ISLNK(st->st_mode))
		return mknodat(place->to, place->name, st->st_mode & (S_IFMT | 0700), st->st_rdev);
	ssize_t size = readlinkat(place->from, place->name, copy->buffer, sizeof(copy->buffer) - 1);
	if (size < 0)
		return -1;
	copy->buffer[size] = '\0';
	return symlinkat(copy->buffer, place->to, place->name);
}

/* Links, devices, fifos and sockets have no attributes that we keep. */
static int copy_special(struct copy *copy, const struct place *place, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	if (make_special(copy, place, st) < 0)
		return copy_fail(copy);
	int bits = set_owner(copy, st, place->to, place->name);
	if (bits < 0)
		return -1;
	/* We have just made it, and nobody else writes here: it is no link. */
	if (!S_ISLNK(st->st_mode) &&
	    fchmodat(place->to, place->name, st->st_mode & (mode_t)bits, 0) < 0)
		return copy_fail(copy);
	return utimensat(place->to, place->name, times, AT_SYMLINK_NOFOLLOW) < 0 ? copy_fail(copy) : 0;
}

/* Its next name becomes a link to this one. */
static int remember(struct copy *copy, const struct stat *st)
{
	scoped_ptr char *path = strdup(copy->path);
	if (!path || links_add(&copy->links, st, path) < 0)
		return copy_fail(copy);
	take_ptr(&path);
	return 0;
}

static bool is_left_out(struct copy *copy, const struct stat *st)
{
	if (!S_ISCHR(st->st_mode) && !S_ISBLK(st->st_mode))
		return false;
	if (!copy->warned_devices)
		warn("device nodes are left out: a volume has none");
	copy->warned_devices = true;
	return true;
}

/* Anything but a directory. */
static int copy_other(struct copy *copy, const struct place *place, const struct stat *st)
{
	if (is_left_out(copy, st))
		return 0;
	const char *first = st->st_nlink > 1 ? links_find(&copy->links, st) : NULL;
	if (first)
		return linkat(copy->to, first, place->to, place->name, 0) < 0 ? copy_fail(copy) : 0;
	if (st->st_nlink > 1 && remember(copy, st) < 0)
		return -1;
	return S_ISREG(st->st_mode) ? copy_file(copy, place, st) : copy_special(copy, place, st);
}

static int copy_entries(struct copy *copy, int from, int to, size_t length, int depth);

static int copy_directory(struct copy *copy, const struct place *place, const struct stat *st,
			  int depth)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	size_t length = strlen(copy->path);
	if (depth == PATH_DEPTH)
		return failx("copy %.400s: it is more than %d directories deep", copy->path, PATH_DEPTH);
	if (mkdirat(place->to, place->name, 0700) < 0)
		return copy_fail(copy);
	scoped_fd from = openat(place->from, place->name, flags);
	if (from < 0)
		return copy_fail(copy);
	scoped_fd to = openat(place->to, place->name, flags);
	if (to < 0)
		return copy_fail(copy);
	if (copy_entries(copy, from, to, length, depth + 1) < 0)
		return -1;
	copy->path[length] = '\0';
	return copy_metadata(copy, from, to, st);
}

/* LENGTH: of the directory's path. */
static int copy_entry(struct copy *copy, const struct place *place, size_t length, int depth)
{
	struct stat st;
	if (length + 1 + strlen(place->name) > PATH_BYTES)
		return failx("copy %.400s: its name is longer than %d bytes", copy->path, PATH_BYTES);
	strcpy(stpcpy(copy->path + length, length ? "/" : ""), place->name);
	if (fstatat(place->from, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return copy_fail(copy);
	return S_ISDIR(st.st_mode) ? copy_directory(copy, place, &st, depth)
				   : copy_other(copy, place, &st);
}

static int copy_entries(struct copy *copy, int from, int to, size_t length, int depth)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		scoped_close(&fd);
		return copy_fail(copy);
	}
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));) {
		struct place place = { from, to, entry->d_name };
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			result = copy_entry(copy, &place, length, depth);
	}
	closedir(stream);
	return result;
}

int copy_tree(int from, int to)
{
	struct stat st;
	struct copy *copy = calloc(1, sizeof(*copy));
	if (!copy || fstat(from, &st) < 0) {
		free(copy);
		return fail("copy a directory");
	}
	copy->to = to;
	copy->in_namespace = userns_inside();
	int result = copy_entries(copy, from, to, 0, 0);
	if (result == 0) {
		*copy->path = '\0';
		result = copy_metadata(copy, from, to, &st);
	}
	links_free(&copy->links, free);
	free(copy);
	return result;
}

#include "rootfs/export/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/layer/links.h"
#include "rootfs/export/pack_pax.h"
#include "rootfs/export/pack_sparse.h"
#include "rootfs/layer/path.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/userns.h"

struct pack {
	const struct pack_options *options;
	pack_sink *sink;
	void *context;
	struct links links; /* notes: the first names, owned */
	char path[PATH_BYTES + 2]; /* of the entry at hand, from the root */
	struct pax pax;
	struct sparse sparse; /* of the file at hand */
	unsigned char buffer[65536];
};

static int put(struct pack *pack, const void *data, size_t size)
{
	return pack->sink(pack->context, data, size);
}

static int put_padding(struct pack *pack, uint64_t size)
{
	static const unsigned char zeros[512];
	size_t rest = size % 512;
	return rest ? put(pack, zeros, 512 - rest) : 0;
}

/* The next of its names becomes a link to this one. */
static int remember(struct pack *pack, const struct stat *st)
{
	scoped_ptr char *path = strdup(pack->path);
	if (!path || links_add(&pack->links, st, path) < 0)
		return fail("remember %.400s", pack->path);
	take_ptr(&path);
	return 0;
}

/* The header, and before it a pax header for what doesn't fit in. */
static int put_header(struct pack *pack, struct tar_entry *entry)
{
	unsigned char block[512];
	if (pax_collect(&pack->pax, entry) < 0)
		return failx("%.400s: its names and attributes take more than %d bytes", pack->path,
			     PAX_BYTES);
	if (pack->pax.size) {
		struct tar_entry extra = { .name = "PaxHeaders/entry",
					   .type = 'x',
					   .mode = 0644,
					   .size = pack->pax.size };
		tar_header(block, &extra);
		if (put(pack, block, sizeof(block)) < 0 ||
		    put(pack, pack->pax.text, pack->pax.size) < 0 ||
		    put_padding(pack, pack->pax.size) < 0)
			return -1;
	}
	tar_header(block, entry);
	return put(pack, block, sizeof(block));
}

static int put_range(struct pack *pack, int file, uint64_t at, uint64_t size)
{
	for (uint64_t left = size; left;) {
		size_t piece = left < sizeof(pack->buffer) ? left : sizeof(pack->buffer);
		ssize_t n = pread(file, pack->buffer, piece, (off_t)at);
		if (n < 0)
			return fail("read %.400s", pack->path);
		if (n == 0)
			return failx("%.400s: it became shorter while it was read", pack->path);
		if (put(pack, pack->buffer, n) < 0)
			return -1;
		left -= n;
		at += n;
	}
	return 0;
}

static int put_content(struct pack *pack, int file, uint64_t size)
{
	return put_range(pack, file, 0, size) < 0 ? -1 : put_padding(pack, size);
}

/* What doesn't know the format finds a file of another name, with a map before its data. */
static int put_sparse(struct pack *pack, int file, struct tar_entry *entry)
{
	const struct sparse *sparse = &pack->sparse;
	entry->sparse_name = entry->name;
	entry->sparse_size = entry->size;
	entry->name = "GNUSparseFile.0/file";
	entry->size = sparse->map_size + sparse->data;
	if (put_header(pack, entry) < 0 || put(pack, sparse->map, sparse->map_size) < 0)
		return -1;
	for (size_t i = 0; i < sparse->count; i++)
		if (put_range(pack, file, sparse->pieces[i].at, sparse->pieces[i].size) < 0)
			return -1;
	return put_padding(pack, sparse->data);
}

static void describe(struct tar_entry *entry, const struct stat *st)
{
	entry->mode = st->st_mode & 07777;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	entry->mtime = st->st_mtim;
	entry->major = major(st->st_rdev);
	entry->minor = minor(st->st_rdev);
}

static int put_file(struct pack *pack, int dir, const char *name, struct tar_entry *entry,
		    const struct stat *st)
{
	scoped_fd file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
	if (file < 0 && errno == EPERM)
		file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return fail("open %.400s", pack->path);
	if (st->st_nlink > 1 && remember(pack, st) < 0)
		return -1;
	entry->type = '0';
	entry->size = st->st_size;
	entry->attributes_of = file;
	/*
	 * Only such a file is worth to be asked. An image's layer "SHOULD NOT" have holes, which not every
	 * reader knows (image-spec 1.1, layer.md): there they are zeros.
	 */
	bool worth = pack->options->kind == PACK_TREE && (uint64_t)st->st_blocks * 512 < entry->size;
	int holes = worth ? sparse_find(&pack->sparse, file, entry->size) : 0;
	if (holes)
		return holes < 0 ? fail("look for the holes of %.400s", pack->path)
				 : put_sparse(pack, file, entry);
	return put_header(pack, entry) < 0 ? -1 : put_content(pack, file, st->st_size);
}

static int put_link(struct pack *pack, int dir, const char *name, struct tar_entry *entry)
{
	char target[PATH_BYTES + 1];
	ssize_t size = readlinkat(dir, name, target, sizeof(target) - 1);
	if (size < 0)
		return fail("read the link %.400s", pack->path);
	target[size] = '\0';
	entry->type = '2';
	entry->link = target;
	return put_header(pack, entry);
}

/* "a/b" → "a/.wh.b", an empty file. */
static int put_marker(struct pack *pack, size_t prefix, const char *name)
{
	char path[PATH_BYTES + 16];
	struct tar_entry entry = { .name = path, .type = '0', .attributes_of = -1 };
	snprintf(path, sizeof(path), "%.*s%s", (int)prefix, pack->path, name);
	return put_header(pack, &entry);
}

static int put_other(struct pack *pack, int dir, const char *name, const struct stat *st)
{
	struct tar_entry entry = { .name = pack->path, .attributes_of = -1 };
	const char *first = st->st_nlink > 1 ? links_find(&pack->links, st) : NULL;
	describe(&entry, st);
	if (first) {
		entry.type = '1';
		entry.link = first;
		return put_header(pack, &entry);
	}
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return put_file(pack, dir, name, &entry, st);
	case S_IFLNK:
		return put_link(pack, dir, name, &entry);
	case S_IFCHR:
		entry.type = '3';
		return put_header(pack, &entry);
	case S_IFBLK:
		entry.type = '4';
		return put_header(pack, &entry);
	case S_IFIFO:
		entry.type = '6';
		return put_header(pack, &entry);
	}
	warn("%.400s: a socket is left out", pack->path);
	return 0;
}

static int put_tree(struct pack *pack, int dir, size_t prefix, int depth);

static int put_directory(struct pack *pack, int above, const char *name, size_t length,
			 const struct stat *st, int depth)
{
	struct tar_entry entry = { .name = pack->path, .type = '5' };
	scoped_fd dir = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return fail("open %.400s", pack->path);
	if (depth == PATH_DEPTH)
		return failx("%.400s: it is more than %d directories deep", pack->path, PATH_DEPTH);
	describe(&entry, st);
	entry.attributes_of = dir;
	strcpy(pack->path + length, "/");
	if (put_header(pack, &entry) < 0)
		return -1;
	if (pack->options->kind == PACK_LAYER && pax_has(dir, userns_overlay_opaque()) &&
	    put_marker(pack, length + 1, ".wh..wh..opq") < 0)
		return -1;
	return put_tree(pack, dir, length + 1, depth + 1);
}

static int put_one(struct pack *pack, int dir, const char *name, size_t prefix, int depth)
{
	struct stat st;
	size_t length = prefix + strlen(name);
	if (length + 1 > PATH_BYTES)
		return failx("%.400s/%s: its name is longer than %d bytes", pack->path, name,
			     PATH_BYTES);
	strcpy(pack->path + prefix, name);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail("look at %.400s", pack->path);
	if (pack->options->kind == PACK_TREE && !strncmp(name, ".wh.", 4)) {
		warn("%.400s: it is left out: in an image such a name stands for a file that is removed",
		     pack->path);
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return put_directory(pack, dir, name, length, &st, depth);
	if (pack->options->kind == PACK_LAYER && S_ISCHR(st.st_mode) && !st.st_rdev) {
		char marker[NAME_BYTES + 8];
		snprintf(marker, sizeof(marker), ".wh.%s", name);
		return put_marker(pack, prefix, marker);
	}
	return put_other(pack, dir, name, &st);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of DIR, sorted: the same tree makes the same archive. */
static int read_names(int dir, char ***names, size_t *count)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	int result = stream ? 0 : -1;
	for (struct dirent *entry; result == 0 && (entry = readdir(stream));) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		char **grown = realloc(*names, (*count + 1) * sizeof(*grown));
		if (grown)
			*names = grown;
		if (!grown || !(grown[*count] = strdup(entry->d_name)))
			result = -1;
		else
			++*count;
	}
	if (stream)
		closedir(stream);
	if (result == 0 && *count)
		qsort(*names, *count, sizeof(**names), compare);
	return result;
}

static int put_tree(struct pack *pack, int dir, size_t prefix, int depth)
{
	char **names = NULL;
	size_t count = 0;
	int result = read_names(dir, &names, &count);
	if (result < 0)
		fail("read the directory %.400s", pack->path);
	for (size_t i = 0; i < count; i++) {
		if (result == 0)
			result = put_one(pack, dir, names[i], prefix, depth);
		free(names[i]);
	}
	free(names);
	return result;
}

static int put_root(struct pack *pack, int root)
{
	struct stat st;
	struct tar_entry entry = { .name = "./", .type = '5', .attributes_of = root };
	if (pack->options->root_entry) {
		if (fstat(root, &st) < 0)
			return fail("look at the root");
		describe(&entry, &st);
		if (put_header(pack, &entry) < 0)
			return -1;
	}
	return pack->options->opaque_root ? put_marker(pack, 0, ".wh..wh..opq") : 0;
}

int pack_tree(int root, const struct pack_options *options, pack_sink *sink, void *context)
{
	static const unsigned char end[1024];
	struct pack *pack = calloc(1, sizeof(*pack));
	if (!pack)
		return fail("pack the tree");
	pack->options = options;
	pack->sink = sink;
	pack->context = context;
	int result = put_root(pack, root);
	if (result == 0)
		result = put_tree(pack, root, 0, 0);
	if (result == 0)
		result = put(pack, end, sizeof(end));
	links_free(&pack->links, free);
	free(pack);
	return result;
}

void pack_header(unsigned char *block, const char *name, uint64_t size)
{
	const struct tar_entry entry = { .name = name, .type = '0', .mode = 0644, .size = size };
	tar_header(block, &entry);
}

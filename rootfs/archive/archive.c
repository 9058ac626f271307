#include "rootfs/archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/base/openat2.h"
#include "rootfs/base/scoped.h"

enum { LINKS = 16 }; /* old docker save: a link for each layer that is there twice */

/*
 * O_NONBLOCK: a fifo must not make us wait (IMAGES.md rule 1); on a regular file it means
 * nothing.
 */
static int open_file(struct archive *archive)
{
	struct stat st;
	archive->file = openat(AT_FDCWD, archive->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (archive->file < 0)
		return fail("open %s", archive->path);
	if (fstat(archive->file, &st) < 0)
		return fail("look at %s", archive->path);
	if (S_ISDIR(st.st_mode)) {
		archive->dir = take_fd(&archive->file);
		return 0;
	}
	if (!S_ISREG(st.st_mode)) {
		failx("%s: it is neither a file nor a directory", archive->path);
		return hint("wherry load reads a pipe as its standard input: wherry load < FILE");
	}
	return st.st_size ? 0 : failx("%s: it is empty", archive->path);
}

/* Standard input that is a file needs no copy, unless somebody has read of it already. */
static int open_input(struct archive *archive)
{
	struct stat st;
	archive->file = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (archive->file < 0 || fstat(archive->file, &st) < 0)
		return fail("read standard input");
	if (isatty(archive->file))
		return failx(
			"standard input is a terminal: name a file, or send one through a pipe");
	archive->packed = !S_ISREG(st.st_mode) || lseek(archive->file, 0, SEEK_CUR) != 0;
	return 0;
}

int archive_packing(const struct archive *archive, const unsigned char *head, size_t size,
		    enum compression *compression)
{
	if (compression_find(head, size, compression) == 0)
		return 0;
	struct failure unnamed = *failure_get();
	failure_clear();
	return failx("%.200s: %.700s", archive->path, unnamed.text);
}

static int find_compression(struct archive *archive)
{
	unsigned char head[512];
	struct blob blob = { archive->file, 0, sizeof(head) };
	ssize_t size = blob_read(&blob, 0, head, sizeof(head));
	if (size < 0)
		return fail("read %s", archive->path);
	if (archive_packing(archive, head, size, &archive->compression) < 0)
		return -1;
	archive->packed = archive->compression != PLAIN;
	return 0;
}

int archive_open(struct archive *archive, const char *path)
{
	*archive = (struct archive){ .path = path, .dir = -1, .file = -1 };
	if ((strcmp(path, "-") ? open_file(archive) : open_input(archive)) < 0)
		return -1;
	if (archive->dir >= 0 || archive->packed)
		return 0;
	return find_compression(archive);
}

void archive_close(struct archive *archive)
{
	for (size_t i = 0; i < archive->count; i++) {
		free(archive->members[i].name);
		free(archive->members[i].link);
	}
	free(archive->members);
	free(archive->sorted);
	for (size_t i = 0; i < archive->opened_count; i++)
		close(archive->opened[i]);
	free(archive->opened);
	scoped_close(&archive->dir);
	scoped_close(&archive->file);
	*archive = (struct archive){ .dir = -1, .file = -1 };
}

static int keep_open(struct archive *archive, int file)
{
	int *grown = realloc(archive->opened, (archive->opened_count + 1) * sizeof(*grown));
	if (!grown) {
		close(file);
		return fail("open a blob");
	}
	grown[archive->opened_count++] = file;
	archive->opened = grown;
	return 0;
}

/*
 * Links are followed as long as they stay beneath: each blob is checked by its digest anyway (openat2(2),
 * Linux 5.6: what leads out is EXDEV).
 */
int archive_open_beneath(const struct archive *archive, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int file = sys_openat2(archive->dir, name, &how);
	if (file >= 0)
		return file;
	if (errno == ENOENT)
		return -ENOENT;
	return errno == EXDEV ? failx("%s/%s: it leads out of the layout's directory", archive->path, name)
			      : fail("open %s/%s", archive->path, name);
}

static int find_in_directory(struct archive *archive, const char *name, struct blob *blob)
{
	struct stat st;
	int file = archive_open_beneath(archive, name);
	if (file < 0)
		return file == -ENOENT ? 0 : -1;
	if (keep_open(archive, file) < 0)
		return -1;
	if (fstat(file, &st) < 0)
		return fail("look at %s/%s", archive->path, name);
	if (!S_ISREG(st.st_mode))
		return failx("%s/%s: it is not a file", archive->path, name);
	*blob = (struct blob){ file, 0, st.st_size };
	return 1;
}

static const char *strip(const char *name)
{
	while (*name == '/' || (name[0] == '.' && name[1] == '/'))
		name++;
	return name;
}

/* The last of a name wins, as it does when an archive is extracted. */
static int compare(const void *left, const void *right)
{
	const struct member *a = *(struct member *const *)left, *b = *(struct member *const *)right;
	int order = strcmp(a->name, b->name);
	return order ? order : a > b ? -1 : a < b;
}

/* A manifest may name as many members as there are: looking each up one by one would be for ever. */
static int sort_members(struct archive *archive)
{
	if (archive->sorted)
		return 0;
	archive->sorted = calloc(archive->count + 1, sizeof(struct member *));
	if (!archive->sorted)
		return fail("read the index of %s", archive->path);
	for (size_t i = 0; i < archive->count; i++)
		archive->sorted[i] = &archive->members[i];
	qsort(archive->sorted, archive->count, sizeof(struct member *), compare);
	return 0;
}

static const struct member *find_member(const struct archive *archive, const char *name)
{
	size_t low = 0, high = archive->count;
	name = strip(name);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(archive->sorted[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < archive->count && !strcmp(archive->sorted[low]->name, name) ? archive->sorted[low] : NULL;
}

/*
 * A symbolic link's target is relative to where the link is; both are names in the archive,
 * nothing else.
 */
static void resolve(const struct member *member, char *to, size_t size)
{
	const char *link = member->link, *slash = strrchr(member->name, '/');
	int dir = member->hard || *link == '/' || !slash ? 0 : (int)(slash - member->name);
	while (!strncmp(link, "../", 3)) {
		link += 3;
		while (dir > 0 && member->name[dir - 1] != '/')
			dir--;
		if (dir > 0)
			dir--;
	}
	snprintf(to, size, "%.*s%s%s", dir, member->name, dir ? "/" : "", strip(link));
}

static int find_in_archive(struct archive *archive, const char *name, struct blob *blob)
{
	char way[4096];
	if (sort_members(archive) < 0)
		return -1;
	const struct member *member = find_member(archive, name);
	for (int i = 0; member && member->link; i++) {
		if (i == LINKS)
			return failx("%s: %s: it leads through more than %d links", archive->path,
				     name, LINKS);
		resolve(member, way, sizeof(way));
		member = find_member(archive, way);
	}
	if (!member)
		return 0;
	if (!member->regular)
		return failx("%s: %s: it is not a file", archive->path, name);
	if (member->sparse) {
		failx("%s: %s: it is a sparse entry, of which the archive has pieces", archive->path, name);
		return hint("make the archive without tar's option -S (--sparse)");
	}
	*blob = (struct blob){ archive->file, member->offset, member->size };
	return 1;
}

int archive_find(struct archive *archive, const char *name, struct blob *blob)
{
	return archive->dir >= 0 ? find_in_directory(archive, name, blob)
				 : find_in_archive(archive, name, blob);
}

int archive_read(struct archive *archive, const char *name, char **text, size_t *size)
{
	struct blob blob;
	int found = archive_find(archive, name, &blob);
	if (found <= 0)
		return found;
	if (blob.size > JSON_BYTES)
		return failx("%s: %s: it is larger than %d MiB", archive->path, name,
			     JSON_BYTES >> 20);
	scoped_ptr char *buffer = malloc(blob.size + 1);
	if (!buffer)
		return fail("read %s", name);
	ssize_t got = blob_read(&blob, 0, buffer, blob.size);
	if (got < 0)
		return fail("%s: read %s", archive->path, name);
	if ((uint64_t)got != blob.size)
		return failx("%s: it is truncated within %s", archive->path, name);
	buffer[got] = '\0';
	*size = got;
	*text = take_ptr(&buffer);
	return 1;
}

#include "rootfs/store/merged.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "rootfs/base/err.h"
#include "rootfs/base/openat2.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/userns.h"
#include "rootfs/layer/path.h"

/*
 * Questions to layers, for all layers of an image. 500 layers that all have the same 256 directories
 * one in the other would take 32 million, minutes; 125 layers of a Nix image take 23,000.
 */
enum { ASKED_MAX = 1 << 19 };

/* The layers that one directory is made of, as far as anybody has asked. */
struct step {
	unsigned short end; /* of its name in PATH */
	int found;          /* how many of its layers are known */
	int tried;          /* how many of the layers of the directory above have been asked */
	bool complete;
};

struct merged {
	const struct chain_layer *layers;
	int count;
	unsigned *asked; /* borrowed */
	char path[PATH_BYTES + 1];
	struct step steps[PATH_DEPTH + 1]; /* 0: the root */
	int depth;
	short *numbers; /* COUNT for each level: its layers, topmost first */
};

struct merged *merged_open(const struct chain_layer *layers, int count, unsigned *asked)
{
	struct merged *merged = calloc(1, sizeof(*merged));
	if (merged)
		merged->numbers = calloc((PATH_DEPTH + 1) * ((size_t)count + 1), sizeof(*merged->numbers));
	if (!merged || !merged->numbers) {
		free(merged);
		fail("look into the layers below");
		return NULL;
	}
	merged->layers = layers;
	merged->count = count;
	merged->asked = asked;
	struct step *root = &merged->steps[0];
	for (int i = count - 1; i >= 0 && !root->complete; i--) {
		merged->numbers[root->found++] = (short)i;
		root->complete = layers[i].opaque_root;
	}
	root->complete = true;
	return merged;
}

void merged_close(struct merged *merged)
{
	if (merged)
		free(merged->numbers);
	free(merged);
}

/* Asks one more layer for the directory at DEPTH. */
static void ask(struct merged *merged, int depth, int number)
{
	struct step *step = &merged->steps[depth];
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	char after = merged->path[step->end];
	++*merged->asked;
	merged->path[step->end] = '\0';
	scoped_fd dir = sys_openat2(merged->layers[number].dir, merged->path, &how);
	bool missing = dir < 0 && errno == ENOENT;
	merged->path[step->end] = after;
	if (dir >= 0)
		merged->numbers[depth * merged->count + step->found++] = (short)number;
	/* What is no directory hides those below, and so does one that is opaque. */
	if (!missing && (dir < 0 || fgetxattr(dir, userns_overlay_opaque(), NULL, 0) >= 0))
		step->complete = true;
}

/* Layer number NTH, from the top, of those that the directory at DEPTH is made of; -1: there are no more. */
static int layer_at(struct merged *merged, int depth, int nth)
{
	struct step *step = &merged->steps[depth];
	while (step->found <= nth && !step->complete && *merged->asked < ASKED_MAX) {
		int number = layer_at(merged, depth - 1, step->tried++);
		if (number < 0)
			step->complete = true;
		else
			ask(merged, depth, number);
	}
	return nth < step->found ? merged->numbers[depth * merged->count + nth] : -1;
}

static int fail_asked(void)
{
	failx("too many layers lie below directories that have no entry in theirs");
	return MERGED_FAILED;
}

/* How many directories PATH and the one asked for last begin with. */
static int shared_depth(const struct merged *merged, const char *path)
{
	int depth = 0;
	while (depth < merged->depth) {
		unsigned short end = merged->steps[depth + 1].end;
		if (strncmp(path, merged->path, end) || (path[end] && path[end] != '/'))
			break;
		depth++;
	}
	return depth;
}

int merged_find(struct merged *merged, const char *path)
{
	int depth = shared_depth(merged, path);
	size_t end = merged->steps[depth].end, size = strlen(path);
	if (size > PATH_BYTES)
		return MERGED_NONE;
	memcpy(merged->path, path, size + 1);
	while (end < size) {
		if (depth == PATH_DEPTH)
			return MERGED_NONE;
		const char *slash = strchr(path + end + 1, '/');
		end = slash ? (size_t)(slash - path) : size;
		merged->steps[++depth] = (struct step){ .end = (unsigned short)end };
	}
	merged->depth = depth;
	int number = layer_at(merged, depth, 0);
	return *merged->asked < ASKED_MAX ? number : fail_asked();
}

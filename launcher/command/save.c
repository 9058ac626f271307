/* wherry save: images as a file for others. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "launcher/command/commands.h"
#include "rootfs/base/err.h"
#include "rootfs/export/export.h"

struct save_words {
	const char *output;
};

static const struct foreign foreign[] = {
	{ "format", 0, true, "docker-archive oci-archive", "the archive is an OCI layout and docker's in one", NULL },
	{ "quiet", 'q', false, "*", NULL, NULL },
	{ "multi-image-archive", 'm', false, "*", NULL, NULL },
	{ "uncompressed", 0, false, "*", NULL, NULL },
	{ 0 },
};

static const struct option options[] = {
	{ "output", 'o', "FILE", "the file to write; -: standard output, as without it",
	  offsetof(struct save_words, output), option_string },
	{ 0 },
};

static int run(struct store *store, void *given, char **operands)
{
	const struct save_words *words = given;
	bool streams = !words->output || !strcmp(words->output, "-") || !strcmp(words->output, "/dev/stdout");
	if (streams && isatty(STDOUT_FILENO)) {
		failx("save: an archive is nothing for a terminal");
		return hint("name the file to write with -o FILE, or send it to another program with |");
	}
	return image_save(store, operands, streams ? NULL : words->output);
}

const struct command save_command = {
	.name = "save",
	.operands = "IMAGE…",
	.summary = "Write images to a file that docker, podman and skopeo read",
	.options = options,
	.least = 1,
	.most = -1,
	.words = sizeof(struct save_words),
	.in_store = run,
	.foreign = foreign,
};

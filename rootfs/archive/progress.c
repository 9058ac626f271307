#include "rootfs/archive/progress.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "rootfs/base/err.h"

/* A line that changes may do so often; lines that stay, in a log, come seldom. */
enum { TERMINAL_MS = 100, LINES_MS = 5000 };

struct progress {
	int layers, started, done;
	uint64_t bytes;
	uint64_t read; /* of an archive that is unpacked first */
	bool terminal;
	double shown;
	struct timespec begun;
	_Atomic uint64_t *counters; /* one a layer, shared: all that others write */
};

static size_t shared_size(const struct progress *progress)
{
	return progress->layers * sizeof(*progress->counters);
}

struct progress *progress_create(int layers, uint64_t bytes, bool quiet)
{
	struct progress *progress = quiet ? NULL : calloc(1, sizeof(*progress));
	if (!progress)
		return NULL;
	progress->layers = layers;
	if (layers) {
		progress->counters = mmap(NULL, shared_size(progress), PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (progress->counters == MAP_FAILED) {
			free(progress);
			return NULL;
		}
	}
	progress->bytes = bytes;
	progress->terminal = isatty(STDERR_FILENO);
	clock_gettime(CLOCK_MONOTONIC, &progress->begun);
	return progress;
}

static void put(const char *line)
{
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		return; /* nobody looks */
}

void progress_destroy(struct progress *progress)
{
	if (!progress)
		return;
	if (progress->terminal)
		put("\r\033[K");
	if (progress->counters)
		munmap(progress->counters, shared_size(progress));
	free(progress);
}

_Atomic uint64_t *progress_add(struct progress *progress)
{
	return progress && progress->started < progress->layers
		       ? &progress->counters[progress->started++]
		       : NULL;
}

int progress_guard(struct progress *progress)
{
	if (progress && progress->counters &&
	    madvise(progress->counters, shared_size(progress), MADV_DONTFORK) < 0)
		return fail("keep from the decoder what the load counts with");
	return 0;
}

void progress_layer(struct progress *progress)
{
	if (progress)
		progress->done++;
}

static double seconds_since(const struct timespec *begun)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - begun->tv_sec + (now.tv_nsec - begun->tv_nsec) / 1e9;
}

static void describe(const struct progress *progress, double seconds, char *text, size_t size)
{
	uint64_t read = progress->read;
	char of[32] = "", layers[48] = "";
	for (int i = 0; i < progress->started; i++)
		read += progress->counters[i];
	if (progress->bytes)
		snprintf(of, sizeof(of), "of %llu ", (unsigned long long)progress->bytes / 1000000);
	if (progress->layers)
		snprintf(layers, sizeof(layers), "%d of %d layers, ", progress->done, progress->layers);
	snprintf(text, size, "%s: %llu %sMB, %s%.0f MB/s", progress->layers ? "loading" : "unpacking",
		 (unsigned long long)read / 1000000, of, layers, read / 1e6 / seconds);
}

void progress_show(struct progress *progress)
{
	char text[128], line[160];
	if (!progress)
		return;
	double seconds = seconds_since(&progress->begun);
	if ((seconds - progress->shown) * 1000 < progress_interval(progress))
		return;
	progress->shown = seconds;
	describe(progress, seconds, text, sizeof(text));
	snprintf(line, sizeof(line), "%s%s%s", progress->terminal ? "\r\033[K" : "", text,
		 progress->terminal ? "" : "\n");
	put(line);
}

void progress_read(struct progress *progress, size_t size)
{
	if (!progress)
		return;
	progress->read += size;
	progress_show(progress);
}

int progress_interval(const struct progress *progress)
{
	if (!progress)
		return -1;
	return progress->terminal ? TERMINAL_MS : LINES_MS;
}

#include "rootfs/load/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "rootfs/decode/compression.h"
#include "rootfs/base/err.h"
#include "rootfs/archive/progress.h"
#include "rootfs/base/scoped.h"

/* Two: more would not be faster on a board's cores, and each takes 2 MB. */
enum { WORKERS = 2, WORKERS_MEMORY = 5 << 20 };

/* Bytes of layers: a sync for less would write more of a journal than it saves time. */
enum { SYNC_PACE = 32 << 20 };

/* What a worker tells when it ends; both fit into a pipe. */
struct worker_report {
	struct failure failure;
	struct findings found;
};

struct worker {
	pid_t pid;   /* 0: free */
	int report;  /* pipe: its worker_report */
	struct job *job;
	uint64_t memory; /* that its decompressor takes, about */
};

struct workers {
	const struct work *work;
	struct worker worker[WORKERS];
	struct progress *progress;
	uint64_t unsynced; /* bytes of finished layers */
	pid_t sync;        /* 0: none is under way */
};

static int extract_job(const struct work *work, struct job *job, _Atomic uint64_t *progress)
{
	if (mkdirat(work->dir, job->directory, 0700) < 0)
		return fail("make a directory for it");
	scoped_fd root = openat(work->dir, job->directory,
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	scoped_fd implied = openat(work->dir, job->implied, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				   0600);
	if (root < 0 || implied < 0)
		return fail("make a directory for it");
	return layer_extract(&job->layer, &layer_limits, root, implied, progress, &job->found);
}

/* A layer may be PATH_DEPTH directories deep, and each takes a descriptor. */
static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1024) {
		limit.rlim_cur = limit.rlim_max < 1024 ? limit.rlim_max : 1024;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void be_worker(const struct workers *workers, struct job *job, int report, pid_t parent,
		      _Atomic uint64_t *progress)
{
	struct worker_report result = { .failure.status = 0 };
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	umask(0);
	raise_descriptors();
	if (progress_guard(workers->progress) < 0 || extract_job(workers->work, job, progress) < 0)
		result.failure = *failure_get();
	result.found = job->found;
	_exit(write(report, &result, sizeof(result)) != sizeof(result));
}

static uint64_t memory_of(const struct job *job)
{
	unsigned char head[16];
	enum compression compression = PLAIN;
	ssize_t size = blob_read(&job->layer.blob, 0, head, sizeof(head));
	if (size < 0 || compression_find(head, size, &compression) < 0) {
		failure_clear(); /* the worker will see it, and say so */
		return 0;
	}
	return compression_memory(head, size, compression);
}

/* A second layer waits where both together would want much to remember: a board has 64 MB. */
static bool has_room(const struct workers *workers, const struct job *job)
{
	uint64_t memory = 0;
	for (int i = 0; i < WORKERS; i++)
		if (workers->worker[i].pid)
			memory += workers->worker[i].memory;
	return !memory || memory + memory_of(job) <= WORKERS_MEMORY;
}

static int start_worker(struct workers *workers, struct worker *worker, struct job *job)
{
	int ends[2];
	pid_t parent = getpid();
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail("make a pipe");
	_Atomic uint64_t *progress = progress_add(workers->progress);
	pid_t pid = fork();
	if (pid == 0)
		be_worker(workers, job, ends[1], parent, progress);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return fail("start a process for a layer");
	}
	*worker = (struct worker){ pid, ends[0], job, memory_of(job) };
	return 0;
}

/* The layer's name in messages: enough of its diff ID to find it by. */
static int blame(const struct worker *worker, const struct failure *failure)
{
	struct failure named = *failure;
	failx("%.200s: layer %.12s: %.700s", worker->job->archive, worker->job->layer.diff_id.hex,
	      failure->text);
	named.text[0] = '\0';
	if (named.hint[0])
		hint("%s", named.hint);
	return -1;
}

static int end_worker(struct workers *workers, struct worker *worker)
{
	struct worker_report result;
	int status = 0;
	ssize_t size = read(worker->report, &result, sizeof(result));
	close(worker->report);
	waitpid(worker->pid, &status, 0);
	worker->pid = 0;
	if (size != sizeof(result)) {
		struct failure killed = { .text = "the process that extracted it was killed" };
		return blame(worker, &killed);
	}
	if (result.failure.status)
		return blame(worker, &result.failure);
	worker->job->found = result.found;
	workers->unsynced += result.found.disk;
	progress_layer(workers->progress);
	return 0;
}

/*
 * What finished layers are begins to reach the disk while others are extracted. The sync that counts is
 * their user's, when all are there; it only has less to wait for. A descriptor of its own, since an error of
 * the disk is told once to each of them (syncfs(2), Linux 5.8), and that one must hear of it.
 */
static void be_sync(const struct workers *workers, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	scoped_fd dir = openat(workers->work->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_exit(dir < 0 || syncfs(dir) < 0);
}

static void sync_on_the_way(struct workers *workers)
{
	pid_t parent = getpid();
	if (workers->sync && waitpid(workers->sync, NULL, WNOHANG) == 0)
		return;
	workers->sync = 0;
	if (workers->unsynced < SYNC_PACE)
		return;
	workers->unsynced = 0;
	workers->sync = fork();
	if (workers->sync == 0)
		be_sync(workers, parent);
	if (workers->sync < 0)
		workers->sync = 0; /* then it all comes at the end */
}

static int wait_for_one(struct workers *workers)
{
	struct pollfd fds[WORKERS];
	for (int i = 0; i < WORKERS; i++)
		fds[i] = (struct pollfd){ workers->worker[i].pid ? workers->worker[i].report : -1, POLLIN,
					  0 };
	int ready = poll(fds, WORKERS, progress_interval(workers->progress));
	if (ready < 0 && errno != EINTR)
		return fail("wait for a layer");
	progress_show(workers->progress);
	for (int i = 0; ready > 0 && i < WORKERS; i++)
		if (fds[i].revents && end_worker(workers, &workers->worker[i]) < 0)
			return -1;
	return 0;
}

static struct worker *find_worker(struct workers *workers, bool busy)
{
	for (int i = 0; i < WORKERS; i++)
		if (!!workers->worker[i].pid == busy)
			return &workers->worker[i];
	return NULL;
}

static int work_off(struct workers *workers, struct job *jobs, int count)
{
	for (int next = 0; next < count || find_worker(workers, true);) {
		struct worker *worker = next < count ? find_worker(workers, false) : NULL;
		if (worker && !has_room(workers, &jobs[next]))
			worker = NULL;
		if (worker ? start_worker(workers, worker, &jobs[next++]) < 0 : wait_for_one(workers) < 0)
			return -1;
		if (next < count || find_worker(workers, true))
			sync_on_the_way(workers);
	}
	return 0;
}

int workers_run(const struct work *work, struct job *jobs, int count, int quiet)
{
	struct workers workers = { .work = work };
	uint64_t bytes = 0;
	for (int i = 0; i < count; i++)
		bytes += jobs[i].layer.blob.size;
	workers.progress = progress_create(count, bytes, quiet);
	int result = work_off(&workers, jobs, count);
	for (int i = 0; i < WORKERS; i++)
		if (workers.worker[i].pid) {
			kill(workers.worker[i].pid, SIGKILL);
			waitpid(workers.worker[i].pid, NULL, 0);
			close(workers.worker[i].report);
		}
	if (workers.sync)
		waitpid(workers.sync, NULL, 0);
	progress_destroy(workers.progress);
	return result;
}

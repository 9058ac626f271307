#include "rootfs/load/lanes.h"

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
enum { LANES = 2, LANES_MEMORY = 5 << 20 };

/* Bytes of layers: a sync for less would write more of a journal than it saves time. */
enum { SYNC_PACE = 32 << 20 };

/* What a worker tells when it ends; both fit into a pipe. */
struct outcome {
	struct failure failure;
	struct findings found;
};

struct lane {
	pid_t pid;   /* 0: free */
	int report;  /* pipe: its outcome */
	struct lane_job *job;
	uint64_t memory; /* that its decompressor takes, about */
};

struct lanes {
	const struct work *work;
	struct lane lane[LANES];
	struct progress *progress;
	uint64_t unsynced; /* bytes of finished layers */
	pid_t sync;        /* 0: none is under way */
};

static int extract(const struct work *work, struct lane_job *job, _Atomic uint64_t *progress)
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

static void be_worker(const struct lanes *lanes, struct lane_job *job, int report, pid_t parent,
		      _Atomic uint64_t *progress)
{
	struct outcome outcome = { .failure.status = 0 };
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	umask(0);
	raise_descriptors();
	if (progress_guard(lanes->progress) < 0 || extract(lanes->work, job, progress) < 0)
		outcome.failure = *failure_get();
	outcome.found = job->found;
	_exit(write(report, &outcome, sizeof(outcome)) != sizeof(outcome));
}

static uint64_t memory_of(const struct lane_job *job)
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
static bool has_room(const struct lanes *lanes, const struct lane_job *job)
{
	uint64_t memory = 0;
	for (int i = 0; i < LANES; i++)
		if (lanes->lane[i].pid)
			memory += lanes->lane[i].memory;
	return !memory || memory + memory_of(job) <= LANES_MEMORY;
}

static int start(struct lanes *lanes, struct lane *lane, struct lane_job *job)
{
	int ends[2];
	pid_t parent = getpid();
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail("make a pipe");
	_Atomic uint64_t *progress = progress_add(lanes->progress);
	pid_t pid = fork();
	if (pid == 0)
		be_worker(lanes, job, ends[1], parent, progress);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return fail("start a process for a layer");
	}
	*lane = (struct lane){ pid, ends[0], job, memory_of(job) };
	return 0;
}

/* The layer's name in messages: enough of its diff ID to find it by. */
static int blame(const struct lane *lane, const struct failure *failure)
{
	struct failure named = *failure;
	failx("%.200s: layer %.12s: %.700s", lane->job->archive, lane->job->layer.diff_id.hex,
	      failure->text);
	named.text[0] = '\0';
	if (named.hint[0])
		hint("%s", named.hint);
	return -1;
}

static int finish(struct lanes *lanes, struct lane *lane)
{
	struct outcome outcome;
	int status = 0;
	ssize_t size = read(lane->report, &outcome, sizeof(outcome));
	close(lane->report);
	waitpid(lane->pid, &status, 0);
	lane->pid = 0;
	if (size != sizeof(outcome)) {
		struct failure killed = { .text = "the process that extracted it was killed" };
		return blame(lane, &killed);
	}
	if (outcome.failure.status)
		return blame(lane, &outcome.failure);
	lane->job->found = outcome.found;
	lanes->unsynced += outcome.found.disk;
	progress_layer(lanes->progress);
	return 0;
}

/*
 * What finished layers are begins to reach the disk while others are extracted. The sync that counts is
 * their user's, when all are there; it only has less to wait for. A descriptor of its own, since an error of
 * the disk is told once to each of them (syncfs(2), Linux 5.8), and that one must hear of it.
 */
static void be_sync(const struct lanes *lanes, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	scoped_fd dir = openat(lanes->work->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_exit(dir < 0 || syncfs(dir) < 0);
}

static void sync_on_the_way(struct lanes *lanes)
{
	pid_t parent = getpid();
	if (lanes->sync && waitpid(lanes->sync, NULL, WNOHANG) == 0)
		return;
	lanes->sync = 0;
	if (lanes->unsynced < SYNC_PACE)
		return;
	lanes->unsynced = 0;
	lanes->sync = fork();
	if (lanes->sync == 0)
		be_sync(lanes, parent);
	if (lanes->sync < 0)
		lanes->sync = 0; /* then it all comes at the end */
}

static int wait_for_one(struct lanes *lanes)
{
	struct pollfd fds[LANES];
	for (int i = 0; i < LANES; i++)
		fds[i] = (struct pollfd){ lanes->lane[i].pid ? lanes->lane[i].report : -1, POLLIN,
					  0 };
	int ready = poll(fds, LANES, progress_interval(lanes->progress));
	if (ready < 0 && errno != EINTR)
		return fail("wait for a layer");
	progress_show(lanes->progress);
	for (int i = 0; ready > 0 && i < LANES; i++)
		if (fds[i].revents && finish(lanes, &lanes->lane[i]) < 0)
			return -1;
	return 0;
}

static struct lane *find_lane(struct lanes *lanes, bool busy)
{
	for (int i = 0; i < LANES; i++)
		if (!!lanes->lane[i].pid == busy)
			return &lanes->lane[i];
	return NULL;
}

static int run(struct lanes *lanes, struct lane_job *jobs, int count)
{
	for (int next = 0; next < count || find_lane(lanes, true);) {
		struct lane *lane = next < count ? find_lane(lanes, false) : NULL;
		if (lane && !has_room(lanes, &jobs[next]))
			lane = NULL;
		if (lane ? start(lanes, lane, &jobs[next++]) < 0 : wait_for_one(lanes) < 0)
			return -1;
		if (next < count || find_lane(lanes, true))
			sync_on_the_way(lanes);
	}
	return 0;
}

int lanes_run(const struct work *work, struct lane_job *jobs, int count, int quiet)
{
	struct lanes lanes = { .work = work };
	uint64_t bytes = 0;
	for (int i = 0; i < count; i++)
		bytes += jobs[i].layer.blob.size;
	lanes.progress = progress_create(count, bytes, quiet);
	int result = run(&lanes, jobs, count);
	for (int i = 0; i < LANES; i++)
		if (lanes.lane[i].pid) {
			kill(lanes.lane[i].pid, SIGKILL);
			waitpid(lanes.lane[i].pid, NULL, 0);
			close(lanes.lane[i].report);
		}
	if (lanes.sync)
		waitpid(lanes.sync, NULL, 0);
	progress_destroy(lanes.progress);
	return result;
}

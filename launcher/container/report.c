#include "launcher/container/report.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "launcher/cgroup/usage.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/base/scoped.h"

void run_report_start(struct run_report *report)
{
	clock_gettime(CLOCK_MONOTONIC, &report->start);
}

int run_report_open(struct run_report *report, const char *path)
{
	run_report_start(report);
	report->file = -1;
	if (!path)
		return 0;
	report->file = openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	return report->file < 0 ? fail("--report %s", path) : 0;
}

static int64_t microseconds_since(const struct timespec *start)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000000LL + (now.tv_nsec - start->tv_nsec) / 1000;
}

static int64_t microseconds(const struct timeval *time)
{
	return time->tv_sec * 1000000LL + time->tv_usec;
}

/* The signal that ended the program, or 0. */
static int signal_of(const struct outcome *outcome)
{
	if (outcome->kind == REPORT_KILLED || outcome->kind == REPORT_DUMPED)
		return outcome->value;
	if (outcome->kind == REPORT_EXITED || outcome->kind == REPORT_NOT_RUN)
		return 0;
	return WIFSIGNALED(outcome->status) ? WTERMSIG(outcome->status) : 0;
}

/*
 * A program that fails where the pids limit stood in its way has failed for that, as far as anybody can
 * know; one that went on and succeeded has exited.
 */
static const char *reason_of(int status, const struct outcome *outcome, const struct cgroup *cgroup)
{
	int number = signal_of(outcome);
	if (outcome->kind == REPORT_NOT_RUN)
		return "not run";
	if (status < 0)
		return "failed";
	if (number == SIGKILL && cgroup_usage(cgroup, USAGE_OOM_KILLS) > 0)
		return "oom";
	if (status && cgroup_usage(cgroup, USAGE_PIDS_DENIED) > 0)
		return "pids";
	return number ? "signal" : "exited";
}

/* The rusage of init has what it reaped, which is everything in the container. 512: getrusage(2). */
static int64_t from_rusage(const struct rusage *usage, enum usage_kind kind)
{
	int64_t user = microseconds(&usage->ru_utime), system = microseconds(&usage->ru_stime);
	switch (kind) {
	case USAGE_CPU:
		return user + system;
	case USAGE_CPU_USER:
		return user;
	case USAGE_CPU_SYSTEM:
		return system;
	case USAGE_READ:
		return usage->ru_inblock * 512LL;
	case USAGE_WRITTEN:
		return usage->ru_oublock * 512LL;
	default:
		return -1;
	}
}

static const struct {
	const char *key;
	enum usage_kind kind;
} numbers[] = {
	{ "cpu_us", USAGE_CPU },
	{ "cpu_user_us", USAGE_CPU_USER },
	{ "cpu_system_us", USAGE_CPU_SYSTEM },
	{ "throttled_us", USAGE_THROTTLED },
	{ "memory_peak_bytes", USAGE_MEMORY_PEAK },
	{ "oom_kills", USAGE_OOM_KILLS },
	{ "pids_denied", USAGE_PIDS_DENIED },
	{ "read_bytes", USAGE_READ },
	{ "written_bytes", USAGE_WRITTEN },
	{ "memory_pressure_some_us", USAGE_PRESSURE_SOME },
	{ "memory_pressure_full_us", USAGE_PRESSURE_FULL },
};

static void set(json_t *object, const char *key, int64_t value)
{
	json_object_set_new(object, key, value < 0 ? json_null() : json_integer(value));
}

/* A container that never ran has used nothing that anybody knows of. */
static void set_numbers(json_t *object, const struct outcome *outcome, const struct cgroup *cgroup)
{
	bool ran = outcome->usage.ru_maxrss > 0;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		int64_t value = cgroup_usage(cgroup, numbers[i].kind);
		if (value < 0 && ran)
			value = from_rusage(&outcome->usage, numbers[i].kind);
		set(object, numbers[i].key, value);
	}
	set(object, "largest_process_bytes", ran ? outcome->usage.ru_maxrss * 1024LL : -1);
}

static json_t *describe(const struct run_report *report, const char *name, int status,
			const struct outcome *outcome, const struct cgroup *cgroup)
{
	json_t *object = json_object();
	int number = signal_of(outcome);
	const char *error = failure_get()->text;
	if (!object)
		return NULL;
	json_object_set_new(object, "name", name ? json_string(name) : json_null());
	json_object_set_new(object, "status", json_integer(status < 0 ? failure_get()->status : status));
	json_object_set_new(object, "reason", json_string(reason_of(status, outcome, cgroup)));
	set(object, "signal", number ? number : -1);
	/* A message may have bytes in it that are not UTF-8, which JSON is. */
	json_object_set_new(object, "error", status < 0 && *error ? json_string(error) : json_null());
	set(object, "wall_us", microseconds_since(&report->start));
	set_numbers(object, outcome, cgroup);
	return object;
}

int run_report_write(struct run_report *report, const char *name, int status,
		     const struct outcome *outcome, const struct cgroup *cgroup)
{
	scoped_fd file = take_fd(&report->file);
	if (file < 0)
		return 0;
	scoped_json *object = describe(report, name, status, outcome, cgroup);
	if (!object || json_dumpfd(object, file, JSON_INDENT(2)) < 0 || write(file, "\n", 1) != 1)
		return fail("--report: write it");
	return 0;
}

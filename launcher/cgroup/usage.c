#include "launcher/cgroup/usage.h"

#include <stdlib.h>
#include <string.h>

#include "launcher/cgroup/file.h"

/*
 * Where a number stands: in FILE, on the line that begins with LINE, behind KEY, in the file's unit,
 * of which there are PER in ours. LINE NULL: anywhere. KEY "": at the beginning. With EACH, KEY stands
 * there once for each disk, or not at all.
 */
struct place {
	const char *file, *line, *key;
	int64_t per;
	bool each;
};

static const struct row {
	const char *controller; /* v1's name */
	struct place v1, v2;    /* FILE NULL: not there */
} rows[USAGE_COUNT] = {
	[USAGE_CPU] = { "cpuacct", { "cpuacct.usage", NULL, "", 1000 },
			{ "cpu.stat", NULL, "usage_usec ", 1 } },
	[USAGE_CPU_USER] = { "cpuacct", { "cpuacct.usage_user", NULL, "", 1000 },
			     { "cpu.stat", NULL, "user_usec ", 1 } },
	[USAGE_CPU_SYSTEM] = { "cpuacct", { "cpuacct.usage_sys", NULL, "", 1000 },
			       { "cpu.stat", NULL, "system_usec ", 1 } },
	[USAGE_THROTTLED] = { "cpu", { "cpu.stat", NULL, "throttled_time ", 1000 },
			      { "cpu.stat", NULL, "throttled_usec ", 1 } },
	[USAGE_MEMORY_PEAK] = { "memory", { "memory.max_usage_in_bytes", NULL, "", 1 },
				{ "memory.peak", NULL, "", 1 } }, /* Linux 5.19 */
	[USAGE_OOM_KILLS] = { "memory", { "memory.oom_control", NULL, "oom_kill ", 1 },
			      { "memory.events", NULL, "oom_kill ", 1 } }, /* both Linux 4.13 */
	[USAGE_PIDS_DENIED] = { "pids", { "pids.events", NULL, "max ", 1 },
				{ "pids.events", NULL, "max ", 1 } },
	[USAGE_READ] = { "blkio", { "blkio.throttle.io_service_bytes", NULL, " Read ", 1, true },
			 { "io.stat", NULL, "rbytes=", 1, true } },
	[USAGE_WRITTEN] = { "blkio", { "blkio.throttle.io_service_bytes", NULL, " Write ", 1, true },
			    { "io.stat", NULL, "wbytes=", 1, true } },
	[USAGE_PRESSURE_SOME] = { "memory", { NULL, NULL, NULL, 1 },
				  { "memory.pressure", "some ", "total=", 1 } },
	[USAGE_PRESSURE_FULL] = { "memory", { NULL, NULL, NULL, 1 },
				  { "memory.pressure", "full ", "total=", 1 } },
};

static int64_t sum_of(char *text, const struct place *place)
{
	int64_t sum = place->each ? 0 : -1;
	if (place->line) {
		text = strstr(text, place->line);
		if (!text)
			return -1;
		text[strcspn(text, "\n")] = '\0';
	}
	if (!*place->key)
		return strtoll(text, NULL, 10);
	while ((text = strstr(text, place->key))) {
		text += strlen(place->key);
		sum = (sum < 0 ? 0 : sum) + strtoll(text, &text, 10);
	}
	return sum;
}

int64_t cgroup_usage(const struct cgroup *cgroup, enum usage_kind kind)
{
	const struct row *row = &rows[kind];
	char text[4096];
	bool unified;
	int dir = cgroup_of(cgroup, row->controller, &unified);
	const struct place *place = unified ? &row->v2 : &row->v1;
	if (dir < 0 || !place->file || cgroup_read(dir, place->file, text, sizeof(text)) < 0)
		return -1;
	int64_t sum = sum_of(text, place);
	return sum < 0 ? -1 : sum / place->per;
}

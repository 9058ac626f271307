#include "launcher/cgroup/weight.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "launcher/cgroup/file.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* Of a number from 1 on. The libc's has tables of 11 KB together with pow(3). */
static double binary_logarithm(double x)
{
	double result = 0;
	for (; x >= 2; x /= 2)
		result++;
	for (double bit = 0.5; bit > 1e-15; bit /= 2) {
		x *= x;
		if (x >= 2) {
			x /= 2;
			result += bit;
		}
	}
	return result;
}

/* The curve: the weight is 10^((l² + 125 l) / 612 − 7/34), rounded up, where l is the shares' logarithm. */
int64_t cgroup_weight_of(int64_t shares)
{
	const double logarithm_of_10 = 3.321928094887362;
	double l = binary_logarithm((double)shares);
	double wanted = ((l * l + 125 * l) / 612 - 7.0 / 34) * logarithm_of_10;
	int64_t low = 1, high = 10000;
	while (low < high) {
		int64_t middle = (low + high) / 2;
		if (binary_logarithm((double)middle) >= wanted - 1e-12)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Whether a disk has the bfq scheduler: "none mq-deadline [bfq]". Without /sys nobody knows: it may. */
static bool any_bfq(void)
{
	DIR *dir = opendir("/sys/block");
	if (!dir)
		return true;
	bool found = false;
	for (struct dirent *entry; !found && (entry = readdir(dir));) {
		char path[300], text[256];
		snprintf(path, sizeof(path), "%s/queue/scheduler", entry->d_name);
		found = entry->d_name[0] != '.' &&
			cgroup_read(dirfd(dir), path, text, sizeof(text)) > 0 && strstr(text, "[bfq]");
	}
	closedir(dir);
	return found;
}

/*
 * Whether the io.cost controller is on for a disk: "8:0 enable=1 …", in the machine's root cgroup alone;
 * from inside a delegated one it cannot be seen.
 */
static bool any_iocost(void)
{
	char text[1024];
	if (cgroup_read(AT_FDCWD, "/sys/fs/cgroup/io.cost.qos", text, sizeof(text)) < 0)
		return false;
	return strstr(text, "enable=1");
}

static int no_scheduler(void)
{
	failx("--blkio-weight: no disk has a scheduler that heeds weights");
	return hint("echo bfq >/sys/block/DISK/queue/scheduler (CONFIG_IOSCHED_BFQ, "
		    "CONFIG_BFQ_GROUP_IOSCHED), or switch io.cost on");
}

int cgroup_weight_set(int dir, bool unified, int64_t weight)
{
	char text[32];
	snprintf(text, sizeof(text), "%lld", (long long)weight);
	if (any_bfq()) {
		if (cgroup_write(dir, unified ? "io.bfq.weight" : "blkio.bfq.weight", text) == 0)
			return 0;
		if (errno != ENOENT && errno != EACCES)
			return fail("--blkio-weight: write %s", text);
	}
	if (!unified || !any_iocost())
		return no_scheduler();
	/* 10 … 1000 to 1 … 10000, as crun.1 and runc have it */
	snprintf(text, sizeof(text), "%lld", (long long)(1 + (weight - 10) * 9999 / 990));
	if (cgroup_write(dir, "io.weight", text) < 0)
		return fail("--blkio-weight: write %s to io.weight", text);
	return 0;
}

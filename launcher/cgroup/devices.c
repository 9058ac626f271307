#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/spec/devices.h"
#include "launcher/cgroup/devices_program.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* "*" or the number. */
static const char *number_text(int64_t number, char text[24])
{
	if (number < 0)
		return "*";
	snprintf(text, 24, "%lld", (long long)number);
	return text;
}

static int allow_v1(int file, char type, const struct device_rule *rule)
{
	char text[64], major[24], minor[24];
	int n = snprintf(text, sizeof(text), "%c %s:%s %s%s%s", type, number_text(rule->major, major),
			 number_text(rule->minor, minor), rule->access & DEVICE_READ ? "r" : "",
			 rule->access & DEVICE_WRITE ? "w" : "", rule->access & DEVICE_MKNOD ? "m" : "");
	return write(file, text, (size_t)n) == n ? 0 : fail("allow the devices %s", text);
}

/* v1 takes "a" for everything there is, whatever stands behind it: here it is both types. */
int devices_hold_v1(int dir, const struct devices *devices)
{
	scoped_fd deny = openat(dir, "devices.deny", O_WRONLY | O_CLOEXEC);
	scoped_fd allow = openat(dir, "devices.allow", O_WRONLY | O_CLOEXEC);
	if (deny < 0 || allow < 0)
		return 0; /* delegated without these files */
	if (write(deny, "a", 1) < 0)
		return errno == EPERM ? 0 : fail("deny devices"); /* EPERM: wants CAP_SYS_ADMIN */
	for (size_t i = 0; i < devices->rule_count; i++) {
		const struct device_rule *rule = &devices->rules[i];
		if (rule->type != 'c' && allow_v1(allow, 'b', rule) < 0)
			return -1;
		if (rule->type != 'b' && allow_v1(allow, 'c', rule) < 0)
			return -1;
	}
	return 1;
}

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(const struct bpf_insn *program, size_t length)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr)); /* padding too: the kernel checks that it is zero */
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = (uint32_t)length;
	attr.license = (uintptr_t)"MIT";
	return bpf(BPF_PROG_LOAD, &attr);
}

/* Before Linux 5.11 programs count as locked memory, of which root too has only so much. */
static int load_unlocked(const struct bpf_insn *program, size_t length)
{
	struct rlimit before, all = { RLIM_INFINITY, RLIM_INFINITY };
	int loaded = load(program, length);
	if (loaded >= 0 || errno != EPERM || getrlimit(RLIMIT_MEMLOCK, &before) < 0 ||
	    setrlimit(RLIMIT_MEMLOCK, &all) < 0)
		return loaded;
	loaded = load(program, length);
	int error = errno;
	setrlimit(RLIMIT_MEMLOCK, &before);
	errno = error;
	return loaded;
}

/*
 * BPF_F_ALLOW_MULTI: who runs containers in this one may add programs below, of which all have to
 * agree. The program lives as long as the cgroup.
 */
static int attach(int dir, int program)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dir;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	return bpf(BPF_PROG_ATTACH, &attr);
}

int devices_hold_v2(int dir, const struct devices *devices)
{
	size_t length;
	scoped_ptr struct bpf_insn *program = devices_program(devices, &length);
	if (!program)
		return -1;
	scoped_fd loaded = load_unlocked(program, length);
	if (loaded >= 0 && attach(dir, loaded) == 0)
		return 1;
	/* ENOSYS, EINVAL: no CONFIG_BPF_SYSCALL, no CONFIG_CGROUP_BPF; EPERM: not root's */
	if (errno == ENOSYS || errno == EINVAL || errno == EPERM)
		return 0;
	return fail("hold the container to its devices");
}

#include "launcher/rights/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rootfs/base/err.h"

#define BIT(cap) (1ULL << (cap))

/* In the order of their numbers, linux/capability.h. */
static const char names[][20] = {
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
	"SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
	"IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
	"SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
	"LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
	"WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
};

enum { COUNT = sizeof(names) / sizeof(*names) };

/*
 * moby's oci/caps/defaults.go.
 */
const uint64_t caps_default =
	BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) |
	BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP) |
	BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) |
	BIT(CAP_AUDIT_WRITE);

const uint64_t caps_default_if_held = BIT(CAP_MKNOD);

int caps_find(const char *word)
{
	const char *name = strncasecmp(word, "CAP_", 4) ? word : word + 4;
	for (int cap = 0; cap < COUNT; cap++)
		if (!strcasecmp(name, names[cap]))
			return cap;
	return -1;
}

/* What WORDS name one by one, and whether ALL is among them. */
static int parse_words(const char *option, const struct strings *words, uint64_t *bits, bool *all)
{
	*bits = 0;
	*all = false;
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->at[i];
		int cap = caps_find(word);
		if (!strcasecmp(word, "ALL") || !strcasecmp(word, "CAP_ALL"))
			*all = true;
		else if (cap < 0)
			return failx("%s: there is no capability %s", option, word);
		else
			*bits |= BIT(cap);
	}
	return 0;
}

/* moby's daemon/pkg/oci/caps, TweakCapabilities: what is added goes before what is dropped, but for one of ALL. */
int caps_parse(uint64_t *caps, uint64_t base, const struct strings *add, const struct strings *drop)
{
	uint64_t added, dropped;
	bool add_all, drop_all;
	if (parse_words("--cap-add", add, &added, &add_all) < 0 ||
	    parse_words("--cap-drop", drop, &dropped, &drop_all) < 0)
		return -1;
	if (add_all)
		*caps = caps_all() & ~dropped;
	else
		*caps = (drop_all ? 0 : base & ~dropped) | added;
	return 0;
}

uint64_t caps_all(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

void caps_explain(void)
{
	static const uint64_t needed = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_SETGID) |
				       BIT(CAP_SETUID) | BIT(CAP_SETPCAP) | BIT(CAP_NET_ADMIN) |
				       BIT(CAP_SYS_CHROOT) | BIT(CAP_SYS_ADMIN) | BIT(CAP_MKNOD);
	const char *text = failure_get()->text;
	uint64_t missing = needed & ~caps_all();
	char list[256] = "";
	if (!missing || (!strstr(text, strerror(EPERM)) && !strstr(text, strerror(EACCES))))
		return;
	for (int cap = 0; cap < COUNT; cap++)
		if (missing & BIT(cap))
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%sCAP_%s", *list ? ", " : "",
				 names[cap]);
	hint("root lacks %s here: where wherry runs in a container, that one's --privileged gives it", list);
}

int caps_bound(uint64_t keep)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		if (keep & BIT(cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return errno == EINVAL ? 0 : fail("drop capability %u", cap);
	}
	return 0;
}

const uint64_t caps_to_read = BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH);

int caps_set(uint64_t keep, uint64_t unused)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	uint64_t effective = keep & ~unused;
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)effective, (uint32_t)keep, 0 },
		{ (uint32_t)(effective >> 32), (uint32_t)(keep >> 32), 0 },
	};
	if (syscall(SYS_capset, &header, data) == 0)
		return 0;
	fail("set the capabilities");
	return hint("wherry itself has to have what it gives");
}

/*
 * What a container shall be: plain data between the command line and the kernel. Made once by
 * spec_build, const ever after. Its strings belong to argv, to the environment or to the image's
 * config, which all outlive it. Zero is the default everywhere.
 */
#ifndef LAUNCHER_SPEC_SPEC_H
#define LAUNCHER_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launcher/rights/ids.h"
#include "launcher/rights/rlimits.h"
#include "launcher/spec/devices.h"
#include "launcher/spec/limits.h"
#include "launcher/spec/net.h"
#include "rootfs/base/words.h"

enum mount_kind { MOUNT_BIND, MOUNT_TMPFS, MOUNT_VOLUME };

/* One mount that was asked for, beside those that every container has. */
struct mount {
	enum mount_kind kind; /* VOLUME: the image's own: TARGET stays writable under a read-only root */
	const char *source;   /* BIND: an absolute path on the host */
	bool create;          /* BIND: make a directory of SOURCE where there is nothing */
	bool alone;           /* BIND: without what is mounted below SOURCE */
	const char *volume;   /* BIND: the name of a volume, which SOURCE follows from; NULL: none */
	bool no_copy;         /* VOLUME gets nothing of what the image has at TARGET */
	unsigned long propagation; /* BIND: MS_… of mount(2), with MS_REC or without; 0: MS_PRIVATE | MS_REC */
	const char *target;   /* absolute, in the container */
	unsigned long flags;  /* MS_… of mount(2) */
	const char *data;     /* TMPFS: its options */
};

enum overlay_kind { OVERLAY_RAM, OVERLAY_DISK, OVERLAY_DIR };

/* The root file system. */
struct root {
	/*
	 * Lowers, topmost first, each relative to the directory BASE, an absolute path: a descriptor of the
	 * parent's belongs to the parent's mount namespace, and overlayfs refuses it.
	 */
	const char *base;
	bool has_tree; /* BASE is the mount TREE, a descriptor, which is nowhere yet; borrowed */
	int tree;
	char *const *lowers;
	size_t lower_count;
	const char *top; /* below BASE: whose owner, mode and times / has; NULL: 0755 root */
	enum overlay_kind overlay;
	const char *overlay_dir; /* DISK, DIR: holds upper and work; absolute */
	int64_t overlay_size;    /* RAM: bytes; 0: half of the memory that there is */
	const char *staging;     /* an empty directory that the container's mounts may cover; absolute */
	bool read_only;
	struct ids ids; /* whose the layers' files are; the container has a user namespace with them */
	bool unprivileged; /* in a user namespace: overlayfs keeps its marks in user.overlay.* */
};

/* NONE: of its own, without /dev/shm. As docker-run(1) calls them. */
enum ipc_kind { IPC_PRIVATE, IPC_SHAREABLE, IPC_NONE, IPC_HOST, IPC_CONTAINER };

struct process {
	char *const *argv;
	char *const *env;     /* NULL-terminated */
	const char *home;     /* HOME, where env has it: NULL: from the image's passwd file */
	const char *user;     /* "", "name", "1000", "name:group", "1000:1000" */
	const char *cwd;      /* absolute; made where it doesn't exist */
	const char *init_path; /* NULL: the init that wherry carries */
	bool input;           /* standard input is the caller's, not /dev/null */
	bool terminal;        /* a terminal of its own is its standard input, output and error */
	uint64_t caps;        /* bits of linux/capability.h */
	uint64_t caps_if_held; /* beside them, where the container is held to its devices */
	const char *seccomp;  /* NULL: the default profile; "unconfined"; a path */
	bool no_new_privs;    /* prctl(2) */
	int stop_signal;      /* 0: SIGTERM */
	int64_t stop_timeout; /* milliseconds from the stop signal to SIGKILL; 0: none */
	bool no_init;         /* the program itself is PID 1 */
	int umask;            /* -1: 022 */
	int oom_score_adj;    /* proc(5); 0: as wherry's own */
	struct strings groups; /* supplementary ones, names or numbers */
	struct rlimit_word *rlimits;
	size_t rlimit_count;
};

struct host {
	const char *name, *address; /* IPv4 or IPv6; NULL: the host, as the container's network has it */
};

struct spec {
	const char *name;  /* unique among what runs */
	const char *state; /* the directory of what runs; absolute */
	const char *hostname;
	struct net net;
	struct limits limits;
	struct devices devices;
	struct root root;
	struct process process;
	struct mount *mounts;
	size_t mount_count;
	bool privileged; /* nothing of /proc and /sys is hidden or read-only */
	bool host_pid, host_uts; /* no namespace of its own */
	enum ipc_kind ipc;
	const char *ipc_container; /* whose, by name: IPC_CONTAINER */
	int64_t shm_size;                  /* bytes; 0: 64 MiB, as docker has it */
	struct strings sysctls;            /* KEY=VALUE */
	struct host *hosts;                /* for /etc/hosts */
	size_t host_count;
	struct strings dns;                /* addresses, for /etc/resolv.conf */
	struct strings dns_search, dns_options; /* words for its other lines */
	struct strings labels, annotations; /* KEY=VALUE, for who asks what runs */
};

/* Its user namespace is one that wherry itself is not in: --userns. */
static inline bool spec_is_mapped(const struct spec *spec)
{
	return spec->root.ids.users.count > 0;
}

static inline bool spec_has_own_ipc(const struct spec *spec)
{
	return spec->ipc < IPC_HOST;
}

#endif

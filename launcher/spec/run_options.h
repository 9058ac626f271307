/* The words of `wherry run`, before they have met the image. */
#ifndef LAUNCHER_SPEC_RUN_OPTIONS_H
#define LAUNCHER_SPEC_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "launcher/spec/limits.h"
#include "rootfs/base/words.h"

/* Every string is argv's own; NULL and 0: not given. */
struct run_options {
	struct strings env, env_files;
	struct strings volumes; /* SRC:DST[:OPTIONS] */
	struct strings labels, annotations; /* KEY[=VALUE] */
	struct strings tmpfs;   /* DST[:OPTIONS] */
	struct strings mounts;  /* KEY=VALUE,… */
	const char *cwd, *user, *hostname, *entrypoint, *name, *overlay, *network, *init_path;
	const char *platform;
	struct limits limits;
	struct strings devices;      /* SRC[:DST][:ACCESS] */
	struct strings device_rules; /* TYPE MAJOR:MINOR ACCESS */
	const char *report;
	struct strings cap_add, cap_drop, group_add, ulimits, sysctls, hosts, dns, dns_search, dns_options;
	struct strings publish; /* [ADDRESS:][PORT:]PORT[/PROTOCOL] */
	const char *ip, *mac;
	struct strings security; /* NAME[=VALUE] */
	const char *pid, *ipc, *uts, *userns, *stop_signal, *umask, *cid_file, *detach_keys;
	int64_t stop_timeout, shm_size, oom_score_adj;
	bool read_only, input, terminal, remove, privileged, no_init, no_unpack, env_host;
};

#endif

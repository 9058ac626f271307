/* docker-run(1)'s options that wherry has no use for: what is so anyway is taken, all else gets a line that helps. */
#include "launcher/command/run_foreign.h"

#define ENDS_WITH_RUN "the container lives as long as `wherry run`: "
#define OUTPUT "what it prints is wherry's own output: send it where you want it"
#define NO_PORTS "-p publishes one"
#define REAL_TIME "--cap-add SYS_NICE lets it ask for real-time scheduling"
#define NETWORKS "with --network bridge a container reaches others by their addresses"
#define HEALTH "nobody checks a container's health"

const struct foreign run_foreign[] = {
	{ "detach", 'd', false, "false",
	  ENDS_WITH_RUN "put & behind it, or leave a terminal with ctrl-p ctrl-q", NULL },
	{ "restart", 0, true, "no",
	  ENDS_WITH_RUN "have what supervises your services start it again", NULL },
	{ "attach", 'a', true, "stdout stderr STDOUT STDERR",
	  "what it prints is always wherry's own output; -i gives it standard input", NULL },
	{ "sig-proxy", 0, false, "true", "signals always reach the program", NULL },
	{ "log-driver", 0, true, "none", OUTPUT, NULL },
	{ "log-opt", 0, true, NULL, OUTPUT, NULL },
	{ "pull", 0, true, "never missing",
	  "wherry load takes what docker save or skopeo copy have written", NULL },
	{ "quiet", 'q', false, "*", NULL, NULL },
	{ "disable-content-trust", 0, false, "true",
	  "no signature is checked, but every digest is", NULL },

	{ "sdnotify", 0, true, "*", NULL, NULL },
	{ "cgroups", 0, true, "enabled no-conmon", "every container has a cgroup", NULL },
	{ "systemd", 0, true, "false", "an image's systemd is started like any other program", NULL },
	{ "http-proxy", 0, false, "false", "-e http_proxy takes a variable over", NULL },
	{ "replace", 0, false, "*", NULL, NULL },

	{ "net", 0, true, NULL, NULL, "network" },
	{ "publish-all", 'P', false, "false", NO_PORTS, NULL },
	{ "expose", 0, true, "*", NULL, NULL },
	{ "link", 0, true, NULL, NETWORKS, NULL },
	{ "ip6", 0, true, NULL, NETWORKS, NULL },
	{ "network-alias", 0, true, NULL, NETWORKS, NULL },
	{ "net-alias", 0, true, NULL, NETWORKS, NULL },
	{ "dns-opt", 0, true, NULL, NULL, "dns-option" },
	{ "domainname", 0, true, NULL, "--hostname NAME.DOMAIN gives it a name with a domain", NULL },

	{ "isolation", 0, true, "default", "there is one kind alone", NULL },
	{ "runtime", 0, true, NULL, "wherry starts its containers itself", NULL },
	{ "cgroupns", 0, true, "private", "a container has a cgroup namespace of its own", NULL },
	{ "cgroup-parent", 0, true, NULL,
	  "its cgroup is wherry-NAME, directly below the mounted or the delegated one", NULL },
	{ "oom-kill-disable", 0, false, "false", "--memory-high slows it down instead (cgroup v2)", NULL },
	{ "kernel-memory", 0, true, NULL, "--memory counts the kernel's, too", NULL },
	{ "cpu-rt-period", 0, true, NULL, REAL_TIME, NULL },
	{ "cpu-rt-runtime", 0, true, NULL, REAL_TIME, NULL },
	{ "blkio-weight-device", 0, true, NULL, "--blkio-weight is for all disks", NULL },
	{ "storage-opt", 0, true, NULL, "--overlay ram,size=SIZE bounds what it writes", NULL },
	{ "volumes-from", 0, true, NULL,
	  "-v gives both the same: a named volume, or a directory of the host", NULL },
	{ "gpus", 0, true, NULL, "--device gives it device nodes, /dev/dri for one", NULL },
	{ "label-file", 0, true, NULL, "--label KEY=VALUE notes one", NULL },

	{ "no-healthcheck", 0, false, "true", HEALTH, NULL },
	{ "health-cmd", 0, true, NULL, HEALTH, NULL },
	{ "health-interval", 0, true, NULL, HEALTH, NULL },
	{ "health-retries", 0, true, NULL, HEALTH, NULL },
	{ "health-start-interval", 0, true, NULL, HEALTH, NULL },
	{ "health-start-period", 0, true, NULL, HEALTH, NULL },
	{ "health-timeout", 0, true, NULL, HEALTH, NULL },
	{ 0 }
};

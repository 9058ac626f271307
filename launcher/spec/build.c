#include "launcher/spec/build.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/rights/caps.h"
#include "launcher/rights/ids.h"
#include "launcher/spec/signal_names.h"
#include "launcher/rights/sysctl.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/userns.h"

/* What docker gives a program whose image names no PATH. */
#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static size_t length_of(char *const *words)
{
	size_t n = 0;
	while (words && words[n])
		n++;
	return n;
}

/*
 * docker-run(1): words behind the image replace Cmd; --entrypoint replaces Entrypoint and drops Cmd,
 * and an empty one is none.
 */
static int build_argv(struct spec *spec, const struct run_options *given,
		      const struct image_config *config, char **words)
{
	char *replaced[] = { (char *)given->entrypoint, NULL };
	char *const *first = config->entrypoint;
	char *const *second = *words ? words : config->cmd;
	if (given->entrypoint) {
		first = *given->entrypoint ? replaced : NULL;
		second = words;
	}
	size_t n = length_of(first), m = length_of(second);
	if (!(n + m)) {
		failx("there is nothing to run: the image has no Cmd and no Entrypoint");
		return hint("put a command behind the image's name");
	}
	char **argv = calloc(n + m + 1, sizeof(*argv));
	if (!argv)
		return fail("build the program's arguments");
	if (n)
		memcpy(argv, first, n * sizeof(*argv));
	if (m)
		memcpy(argv + n, second, m * sizeof(*argv));
	spec->process.argv = argv;
	return 0;
}

static int build_env(struct spec *spec, const struct run_options *given,
		     const struct image_config *config)
{
	struct environment env = { 0 };
	scoped_ptr char *hostname = NULL;
	if (asprintf(&hostname, "HOSTNAME=%s", spec->hostname) < 0)
		return fail("build the environment");
	if (environment_put(&env, DEFAULT_PATH) < 0 || environment_put(&env, take_ptr(&hostname)) < 0)
		return -1;
	for (char **word = config->env; word && *word; word++)
		if (strchr(*word, '=') && environment_put(&env, *word) < 0)
			return -1;
	for (char **word = environ; given->env_host && *word; word++)
		if (environment_put(&env, *word) < 0)
			return -1;
	for (size_t i = 0; i < given->env_files.count; i++)
		if (environment_add_file(&env, given->env_files.at[i]) < 0)
			return -1;
	for (size_t i = 0; i < given->env.count; i++)
		if (environment_add(&env, given->env.at[i]) < 0)
			return -1;
	if (given->terminal && !environment_get(&env, "TERM") &&
	    environment_put(&env, "TERM=xterm") < 0)
		return -1;
	spec->process.home = environment_get(&env, "HOME");
	spec->process.env = env.at;
	return 0;
}

static int build_stop(struct process *process, const struct run_options *given,
		      const struct image_config *config)
{
	const char *word = given->stop_signal ? given->stop_signal : config->stop_signal;
	process->stop_timeout = given->stop_timeout;
	if (!word || !*word)
		return 0;
	process->stop_signal = signal_number(word);
	if (process->stop_signal <= 0)
		return failx("%s: there is no signal '%s'",
			     given->stop_signal ? "--stop-signal" : "the image's StopSignal", word);
	return 0;
}

static int build_umask(struct process *process, const char *text)
{
	char *end;
	process->umask = -1;
	if (!text)
		return 0;
	long mask = strtol(text, &end, 8);
	if (end == text || *end || mask < 0 || mask > 0777)
		return failx("--umask: '%s' is not an octal mode", text);
	process->umask = (int)mask;
	return 0;
}

/* What it gets only if it is held to its devices is what it would not get without that default. */
static int build_caps(struct process *process, const struct run_options *given)
{
	uint64_t base = caps_all() & (given->privileged ? ~0ULL : caps_default);
	uint64_t more = base | (caps_default_if_held & caps_all());
	if (caps_parse(&process->caps, base, &given->cap_add, &given->cap_drop) < 0 ||
	    caps_parse(&process->caps_if_held, more, &given->cap_add, &given->cap_drop) < 0)
		return -1;
	process->caps_if_held &= ~process->caps;
	return 0;
}

/* What the program may do, beside the limits of the whole container. */
static int build_rights(struct process *process, const struct run_options *given)
{
	if (given->oom_score_adj < -1000 || given->oom_score_adj > 1000)
		return failx("--oom-score-adj goes from -1000 to 1000");
	process->oom_score_adj = (int)given->oom_score_adj;
	process->groups = given->group_add;
	process->rlimits = calloc(given->ulimits.count + 1, sizeof(*process->rlimits));
	if (!process->rlimits)
		return fail("--ulimit");
	for (size_t i = 0; i < given->ulimits.count; i++)
		if (rlimit_parse(&process->rlimits[process->rlimit_count++], given->ulimits.at[i]) < 0)
			return -1;
	if (build_umask(process, given->umask) < 0 || spec_build_security(process, given) < 0)
		return -1;
	return build_caps(process, given);
}

/* What an init would do, nobody does. */
static int build_init(struct process *process, const struct run_options *given)
{
	const char *other = given->init_path ? "init-path" : given->stop_signal ? "stop-signal" :
			    given->stop_timeout ? "stop-timeout" : NULL;
	process->init_path = given->init_path;
	process->no_init = given->no_init;
	return given->no_init && other ? failx("--no-init and --%s exclude each other", other) : 0;
}

/* What docker refuses: input that shall be a terminal's, from something else. */
static int check_terminal(bool input)
{
	if (input && !isatty(STDIN_FILENO)) {
		failx("-i and -t together: standard input is not a terminal");
		return hint("leave out -t to read a file or a pipe");
	}
	return 0;
}

static int build_process(struct spec *spec, const struct run_options *given,
			 const struct image_config *config, char **words)
{
	struct process *process = &spec->process;
	process->user = given->user ? given->user : config->user ? config->user : "";
	process->cwd = given->cwd ? given->cwd : config->working_dir;
	if (!process->cwd || !*process->cwd)
		process->cwd = "/";
	if (process->cwd[0] != '/')
		return failx("--workdir: '%s' is not an absolute path", process->cwd);
	process->input = given->input;
	process->terminal = given->terminal;
	if (given->terminal && check_terminal(given->input) < 0)
		return -1;
	if (build_init(process, given) < 0 || build_stop(process, given, config) < 0 ||
	    build_rights(process, given) < 0)
		return -1;
	if (build_argv(spec, given, config, words) < 0)
		return -1;
	return build_env(spec, given, config);
}

static int build_limits(struct spec *spec, const struct run_options *given)
{
	spec->limits = given->limits;
	if (limits_settle(&spec->limits) < 0)
		return -1;
	if (!given->privileged)
		return devices_build(&spec->devices, &given->devices, &given->device_rules);
	if (devices_build_all(&spec->devices, &given->devices) < 0)
		return -1;
	/*
	 * Processes that end with no namespace, or that may have untied themselves from our death, as init does
	 * not, are found by their cgroup: this is what makes one.
	 */
	return spec->host_pid || given->no_init ? devices_allow_all(&spec->devices) : 0;
}

static int build_overlay(struct root *root, const struct run_options *given)
{
	const char *where = given->overlay ? given->overlay : "ram";
	root->read_only = given->read_only;
	root->unprivileged = userns_inside();
	/* Half of the memory that there is, as tmpfs itself has it. */
	root->overlay_size = given->limits.value[LIMIT_MEMORY] / 2;
	if (!strcmp(where, "ram"))
		return 0;
	if (!strncmp(where, "ram,", 4)) {
		root->overlay_size = strncmp(where + 4, "size=", 5) ? -1 : size_parse(where + 9);
		if (root->overlay_size <= 0)
			return failx("--overlay: '%s' is not size=SIZE", where + 4);
		return 0;
	}
	root->overlay = strcmp(where, "disk") ? OVERLAY_DIR : OVERLAY_DISK;
	if (root->overlay == OVERLAY_DIR)
		root->overlay_dir = where;
	return *where ? 0 : failx("--overlay wants ram, disk or a directory");
}

static int build_namespace(const char *option, const char *word, bool *host)
{
	*host = word && !strcmp(word, "host");
	if (!word || *host || !strcmp(word, "private"))
		return 0;
	return failx("--%s: '%s' is neither private nor host", option, word);
}

static int build_ipc(struct spec *spec, const struct run_options *given)
{
	static const char *const words[] = { "private", "shareable", "none", "host" }; /* by enum ipc_kind */
	static const char other[] = "container:";
	const char *word = given->ipc ? given->ipc : words[IPC_PRIVATE];
	if (!strncmp(word, other, sizeof(other) - 1)) {
		spec->ipc = IPC_CONTAINER;
		spec->ipc_container = word + sizeof(other) - 1;
	} else {
		while (spec->ipc < IPC_CONTAINER && strcmp(word, words[spec->ipc]))
			spec->ipc++;
		if (spec->ipc == IPC_CONTAINER)
			return failx("--ipc: '%s' is not private, shareable, none, host or container:NAME", word);
	}
	if (given->shm_size && spec->ipc > IPC_SHAREABLE)
		return failx("--shm-size and --ipc %s exclude each other", word);
	spec->shm_size = given->shm_size;
	return 0;
}

/*
 * As in docker, whose userns-remap it is: what is promised of the host's processes, or of the machine
 * as a whole, the root of a user namespace cannot have.
 */
static int build_userns(struct spec *spec, const struct run_options *given)
{
	const char *user = given->userns;
	if (!user || !strcmp(user, "host"))
		return 0;
	if (userns_inside()) {
		failx("--userns %s wants wherry to be run by root", user);
		return hint("without root the container is in a user namespace of yours anyway");
	}
	if (spec->host_pid)
		return failx("--userns and --pid host exclude each other");
	if (given->privileged) {
		failx("--userns and --privileged exclude each other");
		return hint("--cap-add ALL gives all capabilities over what is the container's own");
	}
	return idmap_find(&spec->root.ids, user);
}

static int build_namespaces(struct spec *spec, const struct run_options *given)
{
	if (build_namespace("pid", given->pid, &spec->host_pid) < 0 ||
	    build_ipc(spec, given) < 0 || build_namespace("uts", given->uts, &spec->host_uts) < 0)
		return -1;
	if (build_userns(spec, given) < 0)
		return -1;
	if (spec_is_mapped(spec) && spec->net.of)
		return failx("--userns and --network %s exclude each other", given->network);
	if (spec->host_uts && given->hostname)
		return failx("--hostname and --uts host exclude each other");
	spec->sysctls = given->sysctls;
	for (size_t i = 0; i < given->sysctls.count; i++)
		if (sysctl_check(given->sysctls.at[i], spec_has_own_ipc(spec),
				 net_is_own(&spec->net)) < 0)
			return -1;
	return 0;
}

/* With the host's network the name is the host's too, as docker has it. */
static int build_hostname(struct spec *spec, const struct run_options *given)
{
	static char host[65];
	bool shared = spec->net.kind == NETWORK_HOST || spec->host_uts;
	spec->hostname = given->hostname;
	if (!spec->hostname && shared && gethostname(host, sizeof(host) - 1) == 0)
		spec->hostname = host;
	if (!spec->hostname)
		spec->hostname = spec->name;
	size_t length = strlen(spec->hostname);
	if (!length || (length > 64 && given->hostname)) /* __NEW_UTS_LEN, linux/utsname.h */
		return failx("--hostname: '%s' has to have 1 to 64 characters", spec->hostname);
	if (strpbrk(spec->hostname, " \t\r\n"))
		return failx("--hostname: '%s' has a space in it", spec->hostname);
	return 0;
}

int spec_build(struct spec *spec, const struct spec *found, const struct run_options *given,
	       const struct image_config *config, char **argv)
{
	*spec = *found;
	spec->privileged = given->privileged;
	spec->labels = given->labels;
	spec->annotations = given->annotations;
	if (spec_build_network(spec, given) < 0 || build_namespaces(spec, given) < 0 ||
	    spec_build_names(spec, given) < 0 || build_hostname(spec, given) < 0 ||
	    build_limits(spec, given) < 0 || build_overlay(&spec->root, given) < 0 ||
	    build_process(spec, given, config, argv) < 0)
		return -1;
	return spec_build_mounts(spec, given, config);
}

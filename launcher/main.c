/*
 * wherry: runs a Docker or OCI image on a machine that has nothing but a kernel. `main` finds the
 * subcommand in one table, which is the help too, and is alone in printing failures.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "launcher/command/commands.h"
#include "launcher/command/nearest.h"
#include "rootfs/base/sys.h"
#include "launcher/rights/caps.h"
#include "launcher/rights/userns.h"
#include "rootfs/base/err.h"
#include "rootfs/store/store.h"

static const struct command *const commands[] = {
	&run_command,
	&load_command,
	&images_command,
	&inspect_command,
	&image_exists_command,
	&history_command,
	&tag_command,
	&rmi_command,
	&prune_command,
	&save_command,
	&import_command,
	&fsck_command,
	&volume_ls_command,
	&volume_create_command,
	&volume_rm_command,
	&volume_inspect_command,
	&volume_exists_command,
	&volume_prune_command,
	&version_command,
};

/* The same commands under docker(1)'s and podman(1)'s other names. */
static const struct {
	const char *name;
	const struct command *command;
} aliases[] = {
	{ "image ls", &images_command },	{ "image list", &images_command },
	{ "image inspect", &inspect_command },	{ "image rm", &rmi_command },
	{ "image remove", &rmi_command },	{ "image load", &load_command },
	{ "image save", &save_command },	{ "image tag", &tag_command },
	{ "image prune", &prune_command },	{ "image history", &history_command },
		{ "image import", &import_command },
	{ "system prune", &prune_command },	{ "volume list", &volume_ls_command },
	{ "volume remove", &volume_rm_command },
};

#define COUNT (sizeof(commands) / sizeof(*commands))

static void print_usage(void)
{
	printf("Usage: wherry [--root DIR] [--state DIR] COMMAND …\n\n");
	for (size_t i = 0; i < COUNT; i++)
		printf("  %-14s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n--root is where images are kept (/var/lib/wherry), --state what runs now (/run/wherry).\n"
	       "wherry COMMAND --help lists a command's options.\n");
}

/* Programs may be started with 0, 1 or 2 closed; a file opened then would be taken for one of them. */
static int settle_descriptors(void)
{
	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
		if (fcntl(standard, F_GETFD) < 0 && openat(AT_FDCWD, "/dev/null", O_RDWR) != standard)
			return fail("open /dev/null");
	/* Whatever else the caller left open is not for the container. */
	if (sys_close_range(STDERR_FILENO + 1, ~0U) < 0)
		return fail("close what the caller left open");
	return 0;
}

/* The words before the subcommand. Returns how many they are, or -1 with a failure. */
static int parse_globals(struct globals *globals, char **argv)
{
	static const struct {
		const char *name;
		size_t offset;
	} known[] = {
		{ "--root", offsetof(struct globals, root) },
		{ "--state", offsetof(struct globals, state) },
	};
	int at = 1;
	while (argv[at] && argv[at][0] == '-') {
		size_t i = 0, length = strcspn(argv[at], "=");
		while (i < 2 && (strlen(known[i].name) != length || strncmp(known[i].name, argv[at], length)))
			i++;
		if (i == 2)
			return at;
		const char *value = argv[at][length] ? argv[at] + length + 1 : argv[++at];
		if (!value || !*value)
			return failx("%s wants a directory", known[i].name);
		*(const char **)((char *)globals + known[i].offset) = value;
		at++;
	}
	return at;
}

#define ALIASES (sizeof(aliases) / sizeof(*aliases))

static const char *name_at(size_t i)
{
	return i < COUNT ? commands[i]->name : aliases[i - COUNT].name;
}

static const struct command *command_at(size_t i)
{
	return i < COUNT ? commands[i] : aliases[i - COUNT].command;
}

/* By the first of WORDS, or the first two ("volume ls"): *COUNT gets how many. NULL: none is called so. */
static const struct command *find_command(char **words, int *count)
{
	size_t first = strlen(words[0]);
	for (size_t i = 0; i < COUNT + ALIASES; i++) {
		const char *name = name_at(i);
		if (strncmp(name, words[0], first) != 0 || (name[first] && name[first] != ' '))
			continue;
		*count = name[first] ? 2 : 1;
		if (!name[first] || (words[1] && !strcmp(name + first + 1, words[1])))
			return command_at(i);
	}
	return NULL;
}

#define RUN "a container lives as long as its `wherry run`, which shows its output and passes signals on"

/* docker(1)'s other commands, and what there is instead. */
static const struct {
	const char *names; /* a space between */
	const char *instead;
} others[] = {
	{ "attach create exec kill logs pause ps restart rm start stop top unpause wait", RUN },
	{ "pull login", "docker save and skopeo copy write an image to a file, which wherry load takes" },
	{ "push", "wherry save writes an image to a file, which skopeo copy takes" },
	{ "build commit", "wherry load takes images that were built elsewhere, wherry import a root file system" },
};

/* How many commands begin with the word GROUP ("volume"), each with its line where PRINT. */
static int each_of_group(const char *group, bool print)
{
	size_t length = strlen(group);
	int count = 0;
	for (size_t i = 0; i < COUNT + ALIASES; i++) {
		const char *name = name_at(i);
		if (strncmp(name, group, length) != 0 || name[length] != ' ')
			continue;
		count++;
		if (print)
			printf("  %-14s %s\n", name, command_at(i)->summary);
	}
	return count;
}

/* A group without one of its commands: its help, where that was asked for. */
static int group(char **words)
{
	if (words[1] && !strcmp(words[1], "--help")) {
		printf("Usage: wherry %s COMMAND …\n\n", words[0]);
		each_of_group(words[0], true);
		return 0;
	}
	failx("unknown command %s%s%s", words[0], words[1] ? " " : "", words[1] ? words[1] : "");
	return hint("wherry %s --help lists the commands", words[0]);
}

static int unknown(const char *word)
{
	struct nearest nearest = { 0 };
	failx("unknown %s %s", *word == '-' ? "option" : "command", word);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (words_have(others[i].names, word))
			return hint("%s", others[i].instead);
	for (size_t i = 0; i < COUNT; i++)
		nearest_offer(&nearest, word, strlen(word), commands[i]->name);
	if (nearest.word)
		return hint("did you mean %s? wherry --help lists the commands", nearest.word);
	return hint("wherry --help lists the commands");
}

/* VARIABLE/wherry, or FALLBACK formatted with the user's home or number. The caller's. */
static const char *user_directory(const char *variable, const char *fallback)
{
	const char *base = getenv(variable), *home = getenv("HOME");
	char *path = NULL;
	int n = base && *base ? asprintf(&path, "%s/wherry", base)
	      : home	      ? asprintf(&path, fallback, home)
			      : -1;
	if (n < 0)
		failx("neither %s nor HOME is set: name --root and --state", variable);
	return path;
}

/* Where things are, unless the command line says otherwise: for root, and for everybody else. */
static int settle_places(struct globals *globals)
{
	if (geteuid() != 0 && !globals->root)
		globals->root = user_directory("XDG_DATA_HOME", "%s/.local/share/wherry");
	if (geteuid() != 0 && !globals->state)
		globals->state = user_directory("XDG_RUNTIME_DIR", "%s/.local/state/wherry");
	if (failure_get()->status)
		return -1;
	if (!globals->root)
		globals->root = "/var/lib/wherry";
	if (!globals->state)
		globals->state = "/run/wherry";
	return 0;
}

static int call(const struct command *command, const struct globals *globals, void *words, char **operands)
{
	struct store store;
	if (!command->in_store)
		return command->run(globals, words, operands);
	if (store_open(&store, globals->root, STORE_READ) < 0)
		return -1;
	int status = command->in_store(&store, words, operands);
	store_close(&store);
	return status;
}

/*
 * Images and containers are root's business: an ordinary user becomes root of a namespace of theirs, which keeps
 * their processes apart. Root's own could be looked into by a container with --pid host as soon as their rights are
 * given up, the next container's first process above all: our file and environment (ptrace(2), PR_SET_DUMPABLE).
 */
static int settle_rights(const struct command *command)
{
	if (geteuid() == 0)
		return prctl(PR_SET_DUMPABLE, 0) < 0 ? fail("keep others from looking in") : 0;
	return command == &version_command ? 0 : userns_enter();
}

static int start(const struct command *command, const struct globals *globals, int argc, char **argv)
{
	max_align_t words[command->words / sizeof(max_align_t) + 1];
	char **operands;
	memset(words, 0, sizeof(words));
	int parsed = options_parse(command, words, argc, argv, &operands);
	if (parsed)
		return parsed == OPTIONS_HELPED ? 0 : -1;
	if (settle_rights(command) < 0)
		return -1;
	return call(command, globals, words, operands);
}

/* "help run" as "run --help": one more word of its own at the end of the others. */
static char **help_words(char **words, int *at, int *argc)
{
	static char *turned[4];
	static char option[] = "--help";
	int n = 0;
	while (words[n + 1] && n < 2) {
		turned[n] = words[n + 1];
		n++;
	}
	turned[n] = option;
	*at = 0;
	*argc = n + 1;
	return turned;
}

static int dispatch(int argc, char **argv)
{
	struct globals globals = { 0 };
	int at = parse_globals(&globals, argv);
	if (at < 0 || settle_places(&globals) < 0)
		return -1;
	if (argv[at] && !strcmp(argv[at], "help") && argv[at + 1])
		argv = help_words(argv + at, &at, &argc);
	if (!argv[at] || words_have("--help -h help", argv[at])) {
		print_usage();
		return argv[at] ? 0 : EXIT_WHERRY;
	}
	if (!strcmp(argv[at], "--version"))
		argv[at] = "version";
	int count;
	const struct command *command = find_command(argv + at, &count);
	if (command)
		return start(command, &globals, argc - at - count + 1, argv + at + count - 1);
	return each_of_group(argv[at], false) ? group(argv + at) : unknown(argv[at]);
}

int main(int argc, char **argv)
{
	/* Inherited as ignored, the kernel would bury our children, and their status with them (wait(2)). */
	signal(SIGCHLD, SIG_DFL);
	/* A file that grows beyond `ulimit -f` is an error to tell of (setrlimit(2)). */
	signal(SIGXFSZ, SIG_IGN);
	int status = settle_descriptors() < 0 ? -1 : dispatch(argc, argv);
	if (status >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
		status = fail("write to standard output");
	if (status < 0 && geteuid() == 0)
		caps_explain();
	return status < 0 ? failure_print() : status;
}

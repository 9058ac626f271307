#include "launcher/container/state.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/supervise/signals.h"
#include "rootfs/base/private_dir.h"
#include "rootfs/base/sys.h"
#include "rootfs/base/err.h"
#include "rootfs/base/paths.h"
#include "rootfs/base/scoped.h"

/*
 * As many containers that run as one sweep looks at: a launch among two hundred containers shall not take longer than
 * one alone, and while it sweeps no other launch goes on.
 */
enum { SWEEP_MAX = 32 };

int state_random_name(char name[13])
{
	unsigned char bytes[6];
	/* GRND_INSECURE, Linux 5.6: a board that has just booted has no entropy to wait for. */
	if (getrandom(bytes, sizeof(bytes), GRND_INSECURE) != sizeof(bytes))
		return fail("make a name");
	for (int i = 0; i < 6; i++)
		snprintf(name + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* docker-run(1): [a-zA-Z0-9][a-zA-Z0-9_.-]* */
static bool is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t length = strlen(name);
	return length && length <= 64 && !strchr("_.-", *name) && strspn(name, allowed) == length;
}

int state_check_name(const char *name)
{
	if (is_name(name))
		return 0;
	failx("--name: '%s' cannot be a container's name", name);
	return hint("1 to 64 letters, digits and _.- with a letter or digit first");
}

/*
 * On a machine that has just booted /run may be all that there is. Who may write there could take containers' names
 * away, or leave us files that lead elsewhere.
 */
static int open_dir(const char *path)
{
	int dir = private_dir_open(path, 022, "--state");
	if (dir >= 0 || failure_get()->status || private_dir_make(path, "--state") < 0)
		return dir;
	dir = private_dir_open(path, 022, "--state");
	return dir < 0 && !failure_get()->status ? path_fail("--state", path) : dir;
}

/* Whether FILE still has its name: its last holder may have removed it before we got the lock. */
static int is_linked(int file)
{
	struct stat stat;
	return fstat(file, &stat) == 0 && stat.st_nlink > 0;
}

static int open_name(int dir, const char *name, bool *made)
{
	const int flags = O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW;
	int file = openat(dir, name, flags | O_EXCL, 0600);
	*made = file >= 0;
	return *made || errno != EEXIST ? file : openat(dir, name, flags, 0600);
}

static int lock_name(int dir, const char *name)
{
	for (;;) {
		bool made;
		scoped_fd file = open_name(dir, name, &made);
		if (file < 0)
			return fail("make the state of %s", name);
		if (flock(file, LOCK_EX | LOCK_NB) < 0) {
			if (errno == EWOULDBLOCK)
				return failx("the name %s is taken: a container of that name runs",
					     name);
			fail("lock the state of %s", name);
			if (made)
				unlinkat(dir, name, 0);
			return -1;
		}
		if (is_linked(file))
			return take_fd(&file);
	}
}

int state_create(struct state *state, const char *path, const char *name,
		 int (*clean)(const char *name))
{
	char pid[16];
	struct stat stat;
	*state = (struct state){ .dir = path, .name = name, .file = -1 };
	if (state_check_name(name) < 0)
		return -1;
	scoped_fd dir = open_dir(path);
	if (dir < 0)
		return -1;
	/* While this lasts nobody sweeps: a file that is made, but not yet locked, would look left over. */
	if (flock(dir, LOCK_SH) < 0)
		return fail("lock %s", path);
	signals_block(); /* not earlier: another may keep us waiting */
	state->file = lock_name(dir, name);
	if (state->file < 0)
		return -1;
	if (fstat(state->file, &stat) == 0 && stat.st_size && clean(name) < 0) {
		close(take_fd(&state->file)); /* not removed: who cleans up later finds the rest by it */
		return failx("the name %s is taken: its last container is still ending", name);
	}
	int n = snprintf(pid, sizeof(pid), "%d\n", getpid());
	/* What a killed one has left there may be longer. */
	if (ftruncate(state->file, 0) < 0 || pwrite(state->file, pid, (size_t)n, 0) != n) {
		fail("write the state of %s", name);
		state_destroy(state);
		return -1;
	}
	return 0;
}

int state_note(const struct state *state, const char *kind, const struct strings *words)
{
	if (words->count && lseek(state->file, 0, SEEK_END) < 0)
		return fail("write the state of %s", state->name);
	for (size_t i = 0; i < words->count; i++)
		if (dprintf(state->file, "%s %s\n", kind, words->at[i]) < 0)
			return fail("write the state of %s", state->name);
	return 0;
}

/* Overwritten in place, in one write, it is no such line any more; what stands behind it stays. */
int state_share(struct state *state, pid_t init, uint32_t root)
{
	state->shared = lseek(state->file, 0, SEEK_END);
	if (state->shared < 0 || dprintf(state->file, "ipc %d %u\n", init, root) < 0)
		return fail("write the state of %s", state->name);
	return 0;
}

int state_unshare(struct state *state)
{
	if (state->shared && pwrite(state->file, "was", 3, state->shared) != 3)
		return fail("write the state of %s", state->name);
	state->shared = 0;
	return 0;
}

/* Returns 0 where there is no such line. */
static pid_t read_shared(FILE *file, uint32_t *root)
{
	char *line = NULL;
	size_t size = 0;
	int pid = 0;
	rewind(file);
	while (!pid && getline(&line, &size, file) > 0)
		if (sscanf(line, "ipc %d %u", &pid, root) != 2)
			pid = 0;
	free(line);
	return pid;
}

/*
 * The number may have become another process's since it was written. Not, though, if the container's
 * supervisor still lives once we have the pidfd, and has not reaped the process: then the line is there.
 */
static int open_shared(FILE *file, const char *name, uint32_t *root)
{
	pid_t pid = read_shared(file, root);
	if (!pid) {
		failx("--ipc container:%s: its IPC is not for others", name);
		return hint("that one has to be started with --ipc shareable");
	}
	scoped_fd init = sys_pidfd_open(pid);
	if (flock(fileno(file), LOCK_SH | LOCK_NB) == 0 || read_shared(file, root) != pid)
		return failx("--ipc container:%s: it has ended", name);
	return init < 0 ? fail("--ipc container:%s: find its process", name) : take_fd(&init);
}

/* What the container NAME has noted, for --OPTION container:NAME; the caller's. NULL with a failure. */
static FILE *open_state(const char *dir, const char *name, const char *option)
{
	char path[PATH_MAX];
	FILE *file = NULL;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (is_name(name))
		file = fopen(path, "re");
	if (!file)
		failx("--%s container:%s: no container of that name runs", option, name);
	return file;
}

int state_shared(const char *dir, const char *name, uint32_t *root)
{
	FILE *file = open_state(dir, name, "ipc");
	if (!file)
		return -1;
	int init = open_shared(file, name, root);
	fclose(file);
	return init;
}

static int note_port(int file, const struct publish *publish)
{
	char address[INET6_ADDRSTRLEN] = "*";
	if (publish->family != AF_UNSPEC)
		inet_ntop(publish->family, &publish->address, address, sizeof(address));
	return dprintf(file, "port %d %d %d %s %s\n", publish->host, publish->container, publish->count,
		       publish->udp ? "udp" : "tcp", address);
}

int state_note_network(const struct state *state, const struct net *net)
{
	static const char *const kinds[] = { "none", "host", "bridge", "other", "other" };
	int r = lseek(state->file, 0, SEEK_END) < 0 ? -1 : dprintf(state->file, "network %s\n", kinds[net->kind]);
	if (r >= 0 && *net->v4.address.text)
		r = dprintf(state->file, "address %s\n", net->v4.address.text);
	if (r >= 0 && *net->v6.address.text)
		r = dprintf(state->file, "address %s\n", net->v6.address.text);
	for (size_t i = 0; r >= 0 && i < net->port_count; i++)
		r = note_port(state->file, &net->ports[i]);
	return r < 0 ? fail("write the state of %s", state->name) : 0;
}

/* The supervisor, once it says that it is in that network; 0: it doesn't. */
static pid_t read_network(FILE *file)
{
	char *line = NULL;
	size_t size = 0;
	pid_t pid = 0;
	bool settled = false;
	rewind(file);
	if (getline(&line, &size, file) > 0)
		pid = (pid_t)strtol(line, NULL, 10);
	while (!settled && getline(&line, &size, file) > 0)
		settled = !strncmp(line, "network ", 8);
	free(line);
	return settled ? pid : 0;
}

/* As in open_shared: the lock says that the number is still the supervisor's. */
static int open_network(FILE *file, const char *name)
{
	pid_t pid = read_network(file);
	if (!pid) {
		failx("--network container:%s: its network is not for others", name);
		return hint("it is still starting, or has --userns");
	}
	scoped_fd supervisor = sys_pidfd_open(pid);
	if (flock(fileno(file), LOCK_SH | LOCK_NB) == 0 || read_network(file) != pid)
		return failx("--network container:%s: it has ended", name);
	return supervisor < 0 ? fail("--network container:%s: find its process", name) : take_fd(&supervisor);
}

int state_network(const char *dir, const char *name)
{
	FILE *file = open_state(dir, name, "network");
	if (!file)
		return -1;
	int supervisor = open_network(file, name);
	fclose(file);
	return supervisor;
}

void state_destroy(struct state *state)
{
	char path[PATH_MAX];
	if (state->file < 0)
		return;
	snprintf(path, sizeof(path), "%s/%s", state->dir, state->name);
	unlink(path); /* before the lock ends with its descriptor */
	close(take_fd(&state->file));
}

/*
 * As state_create makes them, and may have died while it did. DIR may have been anybody's before: what
 * else is there stays.
 */
static bool is_state(int file, const char *name)
{
	char text[16];
	struct stat stat;
	if (!is_name(name) || fstat(file, &stat) < 0 || (stat.st_mode & ~0600U) != S_IFREG ||
	    stat.st_uid != geteuid())
		return false;
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	size_t digits = strspn(text, "0123456789");
	return n == 0 || (digits && text[digits] == '\n');
}

/* True where its supervisor lives. */
static bool sweep_one(int dir, const char *name, int (*clean)(const char *name))
{
	scoped_fd file = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file < 0)
		return false;
	if (flock(file, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	if (is_linked(file) && is_state(file, name) && clean(name) == 0)
		unlinkat(dir, name, 0);
	return false;
}

static size_t count_names(DIR *dir)
{
	size_t count = 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	rewinddir(dir);
	return count;
}

/* From the name of that number on, until enough of them are in use. Returns how many more may be. */
static int sweep_from(DIR *dir, size_t from, size_t to, int most, int (*clean)(const char *name))
{
	size_t i = 0;
	for (struct dirent *entry; most > 0 && i < to && (entry = readdir(dir));)
		if (entry->d_name[0] != '.' && i++ >= from)
			most -= sweep_one(dirfd(dir), entry->d_name, clean);
	rewinddir(dir);
	return most;
}

/* Of many, those behind a random one: so a few runs see them all. */
static void sweep_some(DIR *dir, int (*clean)(const char *name))
{
	unsigned random;
	size_t all = count_names(dir), first = 0;
	if (all > SWEEP_MAX && getrandom(&random, sizeof(random), GRND_INSECURE) == sizeof(random))
		first = random % all;
	int most = sweep_from(dir, first, all, SWEEP_MAX, clean);
	sweep_from(dir, 0, first, most, clean);
}

void state_sweep(const char *path, int (*clean)(const char *name))
{
	DIR *dir = opendir(path);
	if (!dir)
		return;
	/* Somebody makes a container, or sweeps: the next sweep will do. */
	if (flock(dirfd(dir), LOCK_EX | LOCK_NB) == 0)
		sweep_some(dir, clean);
	closedir(dir);
}

/*
 * A decoder that does its worst: this program's own decoder_run takes the place of rootfs/decode/decoder_run.c, in the
 * same sandbox, on the same channel. Whatever it tries, it reaches nothing.
 */
#include "tests/rootfs/decoder.h"
#include "tests/lib/tap.h"

#define SANDBOX "tried what it may not do"

static void opens(struct channel *c) { (void)c; syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }
static void makes_socket(struct channel *c) { (void)c; socket(AF_INET, SOCK_STREAM, 0); }
static void forks(struct channel *c) { (void)c; syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }
static void clones(struct channel *c) { (void)c; syscall(SYS_clone3, NULL, 0); }
static void executes(struct channel *c) { (void)c; execve("/bin/sh", NULL, NULL); }
static void kills(struct channel *c) { (void)c; syscall(SYS_kill, 1, 0); }
static void kills_parent(struct channel *c) { (void)c; kill(getppid(), SIGKILL); }
static void traces(struct channel *c) { (void)c; syscall(SYS_ptrace, 16, 1, 0, 0); }
static void writes_memory(struct channel *c) { (void)c; process_vm_writev(1, NULL, 0, NULL, 0, 0); }
static void makes_file(struct channel *c) { (void)c; syscall(SYS_memfd_create, "x", 0); }
static void becomes_root(struct channel *c) { (void)c; syscall(SYS_setuid, 0); }
static void makes_ring(struct channel *c) { (void)c; syscall(SYS_io_uring_setup, 1, NULL); }
static void unshares(struct channel *c) { (void)c; syscall(SYS_unshare, 0x10000000); }
static void writes_elsewhere(struct channel *c) { (void)c; if (write(2, "evil\n", 5) < 0) return; }
static void reads_elsewhere(struct channel *c) { char b[8]; (void)c; if (read(1, b, sizeof(b)) < 0) return; }
static void controls(struct channel *c) { (void)c; syscall(SYS_ioctl, 0, 0, 0); }
static void copies_descriptor(struct channel *c) { (void)c; syscall(SYS_dup, 0); }
static void truncates(struct channel *c) { (void)c; syscall(SYS_ftruncate, 0, 0); }

static void maps_code(struct channel *c)
{
	(void)c;
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void makes_code(struct channel *c)
{
	mprotect(c->up, 4096, PROT_READ | PROT_EXEC);
}

#if defined(__x86_64__)
/* The same numbers mean other calls: x32's have bit 30 set. */
static void calls_x32(struct channel *c) { (void)c; syscall(0x40000000 | SYS_read, 0, NULL, 0); }
#endif

static void writes_input(struct channel *c)
{
	*(volatile unsigned char *)channel_input(c) = 1;
}

static void unprotects_input(struct channel *c)
{
	if (mprotect((void *)c->below, 4096 + CHANNEL_INPUT, PROT_READ | PROT_WRITE) < 0)
		writes_input(c);
}

/* Until there is none; then it ends without a word. */
static void takes_memory(struct channel *c)
{
	char *piece;
	(void)c;
	while ((piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED)
		memset(piece, 1, 1 << 20);
	_exit(0);
}

static const struct evil_case cases[] = {
	{ "opens no file", opens, SANDBOX },
	{ "makes no socket", makes_socket, SANDBOX },
	{ "makes no process", forks, SANDBOX },
	{ "makes no process by clone3", clones, SANDBOX },
	{ "executes nothing", executes, SANDBOX },
	{ "kills nobody", kills, SANDBOX },
	{ "does not kill its parent", kills_parent, SANDBOX },
	{ "traces nobody", traces, SANDBOX },
	{ "writes into no other process", writes_memory, SANDBOX },
	{ "makes no file in memory", makes_file, SANDBOX },
	{ "does not become root again", becomes_root, SANDBOX },
	{ "makes no io_uring", makes_ring, SANDBOX },
	{ "makes no namespace", unshares, SANDBOX },
	{ "writes to no descriptor but the channel's", writes_elsewhere, SANDBOX },
	{ "reads from no descriptor but the channel's", reads_elsewhere, SANDBOX },
	{ "controls no device", controls, SANDBOX },
	{ "copies no descriptor", copies_descriptor, SANDBOX },
	{ "truncates nothing", truncates, SANDBOX },
	{ "maps no code", maps_code, SANDBOX },
	{ "makes no code of what it wrote", makes_code, SANDBOX },
#if defined(__x86_64__)
	{ "makes no call of another kind", calls_x32, SANDBOX },
#endif
	{ "does not write what the parent has hashed", writes_input, "was killed (signal 11" },
	{ "does not get the right to", unprotects_input, "was killed (signal 11" },
	{ "gets no more memory than it may have", takes_memory, "ended too early" },
};

int main(void)
{
	char place[] = "/tmp/wherry-decoder.XXXXXX", root[64];
	struct layer layer;
	if (!mkdtemp(place) || make_blob(&layer) < 0)
		return 1;
	snprintf(root, sizeof(root), "%s/root", place);
	try_all(&layer, root, cases, sizeof(cases) / sizeof(cases[0]));
	rmdir(place);
	return tap_finish();
}

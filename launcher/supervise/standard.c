#include "launcher/supervise/standard.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/supervise/terminal.h"
#include "rootfs/base/descriptor.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/sys.h"

/* docker shows the program's terminal as /dev/console too: logs of old inits go there. */
static int show_console(int slave, int dev)
{
	scoped_fd console = openat(dev, "console", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	scoped_fd tree = console < 0 ? -1
				     : sys_open_tree(slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0 || sys_move_mount(tree, "", console, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return fail("make /dev/console");
	return 0;
}

int standard_terminal(int socket, uid_t uid, int dev, int pts)
{
	scoped_fd master = openat(pts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &(int){ 0 }) < 0)
		return fail("make a terminal");
	scoped_fd slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || fchown(slave, uid, (gid_t)-1) < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return fail("take the terminal");
	terminal_copy_size(master);
	if (show_console(slave, dev) < 0)
		return -1;
	if (descriptor_send(socket, master, STANDARD_TERMINAL) < 0)
		return fail("hand out the terminal");
	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
		if (dup2(slave, standard) < 0)
			return fail("connect the terminal");
	return 0;
}

/* Whoever the program runs as may open it again, as /dev/stdout: it would belong to root. */
static int make_pipe(int socket, uid_t uid, int standard)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail("make a pipe");
	bool is_input = standard == STDIN_FILENO; /* then the program reads */
	scoped_fd ours = ends[is_input], theirs = ends[!is_input];
	if (uid && fchown(theirs, uid, (gid_t)-1) < 0)
		return fail("make a pipe of user %u's", uid);
	if (descriptor_send(socket, ours, standard) < 0 || dup2(theirs, standard) < 0)
		return fail("connect a pipe");
	return 0;
}

static bool is_same(int one, int other)
{
	struct stat first, second;
	return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

int standard_pipes(int socket, uid_t uid, bool input)
{
	bool out = isatty(STDOUT_FILENO), err = isatty(STDERR_FILENO);
	bool both = out && err && is_same(STDOUT_FILENO, STDERR_FILENO);
	if (input && isatty(STDIN_FILENO) && make_pipe(socket, uid, STDIN_FILENO) < 0)
		return -1;
	if (out && make_pipe(socket, uid, STDOUT_FILENO) < 0)
		return -1;
	if (both)
		return dup2(STDOUT_FILENO, STDERR_FILENO) < 0 ? fail("connect a pipe") : 0;
	return err ? make_pipe(socket, uid, STDERR_FILENO) : 0;
}

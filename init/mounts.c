/* The machine's file systems, up and down. */
#include "init/machine.h"

#include <linux/mount.h>

#define RAMFS_MAGIC 0x858458f6
#define TMPFS_MAGIC 0x01021994
enum { TRIES = 20, BETWEEN = 50 };

/*
 * Flags, then type, place, options; the flags of mount(2): nosuid 2, nodev 4, noexec 8.
 * 10 would be a newline, which ends a word. A tmpfs has mode 1777 where nothing is said.
 */
static const char table[] =
	"\x02" "devtmpfs\0/dev\0\0"
	"\x0e" "proc\0/proc\0\0"
	"\x0e" "sysfs\0/sys\0\0"
	"\x02" "devpts\0/dev/pts\0gid=5,mode=620,ptmxmode=666\0"
	"\x06" "tmpfs\0/dev/shm\0\0"
	"\x06" "tmpfs\0/run\0mode=755\0"
	"\x06" "tmpfs\0/tmp\0\0"
	"\x0e" "cgroup2\0/sys/fs/cgroup\0\0";

static int do_mount(const char *from, const char *to, const char *type, long flags, const char *data)
{
	return syscall5(__NR_mount, (long)from, (long)to, (long)type, flags, (long)data);
}

static void make_directory(const char *path)
{
	syscall3(__NR_mkdirat, AT_FDCWD, (long)path, 0755);
}

/*
 * pivot_root(2) refuses a root that is mounted on nothing, as the kernel's own is, which
 * an initramfs fills. The same files bound over it are a mount like any other, and no
 * byte is copied. An empty /proc serves as the place to bind them to.
 */
static void make_root_a_mount(void)
{
	unsigned long type[32]; /* struct statfs: its first word is all that we want */

	if (syscall2(__NR_statfs, (long)"/", (long)type) < 0 ||
	    ((uint32_t)*type != RAMFS_MAGIC && (uint32_t)*type != TMPFS_MAGIC))
		return;
	make_directory("/proc");
	if (do_mount("/", "/proc", NULL, MS_BIND | MS_REC, NULL) < 0)
		return;
	sys_chdir("/proc");
	do_mount(".", "/", NULL, MS_MOVE, NULL);
	syscall1(__NR_chroot, (long)".");
}

static bool is_mounted(const char *place)
{
	struct statx stat;

	return syscall5(__NR_statx, AT_FDCWD, (long)place, 0, 0, (long)&stat) == 0 &&
	       (stat.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* A kernel that lacks one of the kinds is told of, and gone on with. */
static void mount_row(const char *row)
{
	const char *place = next_word(row);
	int error;

	if (is_mounted(place))
		return;
	make_directory(place);
	error = do_mount(row + 1, place, row + 1, *row, next_word(place));
	if (error == -ENODEV)
		say("mount ", place, -error);
	else if (error < 0)
		refuse("mount ", place, -error);
}

static void link_descriptors(void)
{
	static const char names[] = "/dev/stdin\0/dev/stdout\0/dev/stderr\0";
	char target[] = "/proc/self/fd/0";

	for (const char *name = names; *name; name = next_word(name)) {
		syscall3(__NR_symlinkat, (long)target, AT_FDCWD, (long)name);
		target[14]++;
	}
	target[13] = 0;
	syscall3(__NR_symlinkat, (long)target, AT_FDCWD, (long)"/dev/fd");
}

/* Each by itself, since one that is refused must not take the others with it. */
static void enable_controllers(void)
{
	char list[256], *at = list + 1;
	long size = read_file("/sys/fs/cgroup/cgroup.controllers", at, sizeof(list) - 1);
	int fd = sys_open("/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY);

	list[0] = '+';
	for (char *end = at; end < list + 1 + size; end++)
		if (*end == ' ' || *end == '\n') {
			sys_write(fd, at - 1, end - at + 1);
			*end = '+';
			at = end + 1;
		}
	sys_close(fd);
}

void mounts_make(void)
{
	make_root_a_mount();
	for (const char *row = table; *row; row = next_word(next_word(next_word(row))))
		mount_row(row);
	link_descriptors();
	enable_controllers();
}

/* Spaces and the like are \040 and so on in /proc/self/mounts (proc(5)). */
static void unescape(char *from)
{
	char *to = from;

	for (; *from; to++)
		if (*from == '\\') {
			*to = (from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0');
			from += 4;
		} else {
			*to = *from++;
		}
	*to = 0;
}

/* The last line's second word; the text ends before that line from now on. NULL: no more. */
static char *last_place(char *text, char **end)
{
	char *at = *end, *place;

	if (at <= text)
		return NULL;
	*--at = 0;
	while (at > text && at[-1] != '\n')
		at--;
	*end = at;
	while (*at && *at != ' ')
		at++;
	place = at += !!*at;
	while (*at && *at != ' ')
		at++;
	*at = 0;
	unescape(place);
	return place;
}

/* What shutting down itself needs. */
static bool is_kept(const char *place)
{
	const char *end;

	return find_word("/proc\n/dev\n/\n", place, &end) >= 0 && !*end;
}

/* From the newest mount to the oldest; false while one is busy. */
static bool unmount_pass(char *text, char *end)
{
	bool all = true;
	char *place;

	while ((place = last_place(text, &end)))
		if (!is_kept(place) && syscall2(__NR_umount2, (long)place, 0) == -EBUSY)
			all = false;
	return all;
}

static void freeze_pass(char *text, char *end)
{
	char *place;

	while ((place = last_place(text, &end)))
		do_mount(NULL, place, NULL, MS_REMOUNT | MS_RDONLY, NULL);
}

/* A process that was killed may still be giving back its files: hence the tries. */
void mounts_undo(void)
{
	static LARGE char text[1 << 20]; /* some 10,000 mounts */
	static const char file[] = "/proc/self/mounts";

	for (int i = 0; i < TRIES; i++) {
		if (unmount_pass(text, text + read_file(file, text, sizeof(text))))
			break;
		machine_pause(BETWEEN);
	}
	freeze_pass(text, text + read_file(file, text, sizeof(text)));
}

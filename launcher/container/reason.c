#include "launcher/container/reason.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "rootfs/base/scoped.h"
#include "rootfs/base/sys.h"

/* What the kernel reads of a #! line (Linux 5.1), and what of an ELF file holds its program headers. */
enum { LINE = 256, BLOCK = 4096 };

/* A script's interpreter may be a script: the kernel follows five. */
enum { DEEP = 5 };

/* Where to look: the container's root, and which directory a relative path begins at. */
struct place {
	int root;
	const char *cwd;
};

struct program {
	char path[PATH_MAX];
	char block[BLOCK + 1]; /* ends with NUL */
	size_t size;
};

static int open_in(const struct place *place, const char *path, int flags)
{
	char whole[2 * PATH_MAX];
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	snprintf(whole, sizeof(whole), "%s/%s", *path == '/' ? "" : place->cwd, path);
	return sys_openat2(place->root, whole, &how);
}

static bool is_there(const struct place *place, const char *path)
{
	scoped_fd file = open_in(place, path, O_PATH);
	return file >= 0;
}

/* Whether there is an executable file PATH; then its beginning is read. */
static bool load(struct program *program, const struct place *place, const char *path)
{
	struct stat stat;
	scoped_fd there = open_in(place, path, O_PATH);
	if (there < 0 || fstat(there, &stat) < 0 || !S_ISREG(stat.st_mode) || !(stat.st_mode & 0111))
		return false;
	scoped_fd file = open_in(place, path, O_RDONLY | O_NONBLOCK);
	ssize_t n = file < 0 ? -1 : pread(file, program->block, BLOCK, 0);
	if (n < 0)
		return false;
	program->size = (size_t)n;
	program->block[n] = '\0';
	snprintf(program->path, sizeof(program->path), "%s", path);
	return true;
}

static const char *path_variable(char *const *env)
{
	for (; *env; env++)
		if (!strncmp(*env, "PATH=", 5))
			return *env + 5;
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; /* the init's */
}

/* As execvp(3). */
static bool find(struct program *program, const struct place *place, const struct process *process)
{
	const char *name = process->argv[0], *dir = path_variable(process->env);
	if (strchr(name, '/'))
		return load(program, place, name);
	for (;; dir++) {
		char path[PATH_MAX];
		size_t length = strcspn(dir, ":");
		int n = snprintf(path, sizeof(path), "%.*s/%s", (int)length, length ? dir : ".", name);
		if (n > 0 && (size_t)n < sizeof(path) && load(program, place, path))
			return true;
		dir += length;
		if (!*dir)
			return false;
	}
}

/* A number of an ELF header, BYTES of them at OFFSET, in the order of the file's bytes. */
static unsigned number_at(const struct program *program, size_t offset, size_t bytes)
{
	bool big = program->block[EI_DATA] == ELFDATA2MSB;
	unsigned number = 0;
	for (size_t i = 0; i < bytes; i++)
		number |= (unsigned)(unsigned char)program->block[offset + i] << 8 * (big ? bytes - 1 - i : i);
	return number;
}

/* As uname(1) calls it; NULL: another one. */
static const char *machine_of(const struct program *program)
{
	static const struct {
		unsigned number;
		const char *narrow, *wide;
	} names[] = {
		{ EM_386, "i386", "i386" },      { EM_X86_64, "x32", "x86_64" },
		{ EM_ARM, "arm", "arm" },        { EM_AARCH64, "aarch64", "aarch64" },
		{ EM_MIPS, "mips", "mips64" },   { EM_PPC, "ppc", "ppc" },
		{ EM_PPC64, "ppc64", "ppc64" },  { EM_S390, "s390", "s390x" },
		{ EM_RISCV, "riscv32", "riscv64" }, { 258, "loongarch32", "loongarch64" },
	};
	bool wide = program->block[EI_CLASS] == ELFCLASS64;
	unsigned number = number_at(program, offsetof(Elf32_Ehdr, e_machine), 2);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].number == number)
			return wide ? names[i].wide : names[i].narrow;
	return NULL;
}

/* The path in PT_INTERP, which is a static program's not to have. */
static const char *loader_of(const struct program *program)
{
	bool wide = program->block[EI_CLASS] == ELFCLASS64;
	size_t table = number_at(program, wide ? offsetof(Elf64_Ehdr, e_phoff) : offsetof(Elf32_Ehdr, e_phoff), 4);
	size_t count = number_at(program, wide ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum), 2);
	size_t size = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	for (; count && table < BLOCK - size; table += size, count--) {
		size_t at = table + (wide ? offsetof(Elf64_Phdr, p_offset) : offsetof(Elf32_Phdr, p_offset));
		size_t offset = number_at(program, at, 4);
		if (number_at(program, table, 4) == PT_INTERP)
			return offset < program->size ? program->block + offset : NULL;
	}
	return NULL;
}

/* What it lacks, a KIND of file; NAME may be the program's own. */
static void say_missing(struct reason *reason, const struct program *program, const char *name, const char *kind,
			const char *missing, size_t length)
{
	bool itself = !strcmp(program->path, name);
	snprintf(reason->text, sizeof(reason->text), "%.200s%sits %s %.*s is not in the image",
		 itself ? "" : program->path, itself ? "" : ": ", kind, (int)length, missing);
}

static void look_at_elf(struct reason *reason, const struct program *program, const struct place *place,
			const char *name, int error)
{
	struct utsname here;
	const char *machine = machine_of(program), *loader = loader_of(program);
	if (error == ENOEXEC && uname(&here) == 0 && (!machine || strcmp(machine, here.machine)))
		snprintf(reason->hint, sizeof(reason->hint), "%.100s is a program for %s, and this machine is %s",
			 program->path, machine ? machine : "another processor", here.machine);
	if (error == ENOENT && loader && !is_there(place, loader))
		say_missing(reason, program, name, "loader", loader, strlen(loader));
}

/* Whether the script's interpreter is the next to be looked at: it is in *PROGRAM then. */
static bool look_at_script(struct reason *reason, struct program *program, const struct place *place,
			   const char *name, int error)
{
	char path[LINE];
	const char *start = program->block + 2 + strspn(program->block + 2, " \t");
	size_t length = strcspn(start, " \t\n");
	if (!memchr(program->block, '\n', program->size < LINE ? program->size : LINE) && program->size >= LINE) {
		snprintf(reason->hint, sizeof(reason->hint), "its #! line is longer than the %d bytes that the kernel "
			 "reads", LINE);
		return false;
	}
	snprintf(path, sizeof(path), "%.*s", (int)length, start);
	if (is_there(place, path))
		return load(program, place, path);
	bool windows = length && start[length - 1] == '\r';
	if (windows)
		snprintf(path, sizeof(path), "%.*s^M", (int)length - 1, start);
	if (error == ENOENT)
		say_missing(reason, program, name, "interpreter", path, strlen(path));
	if (windows)
		snprintf(reason->hint, sizeof(reason->hint), "its first line ends in CR LF, as those of Windows do");
	return false;
}

void reason_find(struct reason *reason, const struct spec *spec, pid_t init, int error)
{
	char root[32];
	struct program program;
	const char *name = spec->process.argv[0];
	snprintf(root, sizeof(root), "/proc/%d/root", init);
	scoped_fd at = openat(AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct place place = { at, spec->process.cwd };
	bool more = at >= 0 && find(&program, &place, &spec->process);
	if (more && !program.size)
		snprintf(reason->hint, sizeof(reason->hint), "%.200s is empty", program.path);
	for (int deep = 0; more && deep <= DEEP; deep++) {
		more = !strncmp(program.block, "#!", 2) && look_at_script(reason, &program, &place, name, error);
		if (!more && program.size > sizeof(Elf64_Ehdr) && !memcmp(program.block, ELFMAG, SELFMAG))
			look_at_elf(reason, &program, &place, name, error);
	}
}

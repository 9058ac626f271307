/* From a name to a running program, as execvpe(3). */
#include "init/machine.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *path_variable(void)
{
	const char *value;

	for (char **variable = program.envp; *variable; variable++)
		if (begins(*variable, "PATH", &value) && *value == '=')
			return value + 1;
	return DEFAULT_PATH;
}

/*
 * Whether the kernel refuses it for want of #! alone. A NUL in its first block is another processor's program, which
 * a shell would take for commands; one that is empty, or has #! and a line too long, is nobody's.
 */
static bool is_script(const char *path)
{
	char block[257];
	const char *end;
	long size, text;

	*block = 0;
	size = read_file(path, block, sizeof(block));
	text = next_string(block) - block - 1;
	if (!text || (text != size && (size != -E2BIG || text != sizeof(block) - 1)))
		return false;
	return find_word("#!\n\x7f" "ELF\n", block, &end) < 0;
}

/* A script without #! is the shell's (execvp(3)). */
static int execute(char *path)
{
	char **argv = program.argv, *name = argv[0];
	int error = sys_execve(path, argv, program.envp);

	if (error == -ENOEXEC && is_script(path)) {
		argv[-1] = "/bin/sh";
		argv[0] = path;
		sys_execve(argv[-1], argv - 1, program.envp);
		argv[0] = name; /* our parent, whose memory this is, will name it */
	}
	return error;
}

/* A program that may not be executed in one directory may be found in a later one. */
int program_exec(void)
{
	static LARGE_FIRST char path[4096];
	char *at, *end = path + sizeof(path) - 1, *name = program.argv[0];
	const char *dir = path_variable();
	int error = -ENOENT;

	for (const char *c = name; *c; c++)
		if (*c == '/')
			return execute(name);
	for (; *name; dir++) {
		for (at = path; *dir && *dir != ':'; dir++)
			at = append(at, end, (char[]){ *dir, 0 });
		if (at != path)
			at = append(at, end, "/");
		at = append(at, end, name);
		*at = 0;
		if (at < end) {
			int result = execute(path);

			if (result == -EACCES)
				error = result;
			else if (result != -ENOENT && result != -ENOTDIR)
				return result;
		}
		if (!*dir)
			break;
	}
	return error;
}

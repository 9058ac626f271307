/* From a name to a running program, as execvpe(3). */
#include "init/init.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *path_variable(void)
{
	const char *value;

	for (char **variable = program.envp; *variable; variable++)
		if (begins(*variable, "PATH", &value) && *value == '=')
			return value + 1;
	return DEFAULT_PATH;
}

/* A script without #! is the shell's (execvp(3)). */
static int execute(char *path)
{
	char **argv = program.argv, *name = argv[0];
	int error = sys_execve(path, argv, program.envp);

	if (error == -ENOEXEC) {
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

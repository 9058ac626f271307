/*
 * Mounts an overlay, runs a command, and takes the overlay away: what an engine does around an OCI
 * runtime, which takes its root file system as it finds it.
 *
 *	overlaid STAGING LOWER[:LOWER…] COMMAND [ARG…]
 *
 * STAGING is an empty directory; the overlay is at STAGING/root, its upper in RAM as wherry's.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define DO(call) \
	do { \
		if ((call) < 0) { \
			fprintf(stderr, "overlaid: line %d: %s: %s\n", __LINE__, #call, strerror(errno)); \
			return 125; \
		} \
	} while (0)

int main(int argc, char **argv)
{
	char options[4096];
	int status;
	pid_t pid;
	if (argc < 4)
		return 125;
	DO(mount("overlaid", argv[1], "tmpfs", MS_NOSUID, "mode=700,size=33554432"));
	DO(chdir(argv[1]));
	DO(mkdir("root", 0755));
	DO(mkdir("work", 0700));
	DO(mkdir("upper", 0755));
	snprintf(options, sizeof(options), "upperdir=upper,workdir=work,lowerdir=%s", argv[2]);
	DO(mount("overlay", "root", "overlay", 0, options));
	DO(chdir("/"));
	DO(-posix_spawnp(&pid, argv[3], NULL, NULL, argv + 3, environ));
	DO(waitpid(pid, &status, 0));
	DO(chdir(argv[1]));
	DO(umount2("root", MNT_DETACH));
	DO(chdir("/"));
	DO(umount2(argv[1], MNT_DETACH));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

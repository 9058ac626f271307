/*
 * Two containers that share a volume, and hand each other directories through a socket in it (unix(7), SCM_RIGHTS):
 *
 *	handover offer SOCKET DIR	waits for somebody, and sends a descriptor of DIR
 *	handover take SOCKET		takes it, and prints what is found by climbing from there, and by climbing from it as a root
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static struct sockaddr_un name(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

union room {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int offer(const char *path, const char *dir)
{
	struct sockaddr_un address = name(path);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), given = open(dir, O_RDONLY | O_DIRECTORY);
	if (given < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 1) < 0)
		return fail("offer");
	puts("up");
	fflush(stdout);
	int peer = accept(listener, NULL, NULL);
	union room room = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	memcpy(CMSG_DATA(&room.header), &given, sizeof(int));
	struct iovec byte = { "x", 1 };
	struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof(room) };
	char end;
	if (peer < 0 || sendmsg(peer, &message, 0) < 0)
		return fail("send");
	return read(peer, &end, 1) < 0; /* until the other has looked */
}

static void list(const char *heading)
{
	DIR *dir = opendir(".");
	printf("%s:", heading);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			printf(" %s", entry->d_name);
	printf("\n");
	if (dir)
		closedir(dir);
}

static void climb(const char *heading)
{
	for (int i = 0; i < 40; i++)
		if (chdir("..") < 0)
			break;
	list(heading);
}

static int take(const char *path)
{
	struct sockaddr_un address = name(path);
	int peer = socket(AF_UNIX, SOCK_STREAM, 0), taken = -1;
	char byte;
	union room room;
	struct iovec into = { &byte, 1 };
	struct msghdr message = { .msg_iov = &into, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof(room) };
	if (connect(peer, (struct sockaddr *)&address, sizeof(address)) < 0 || recvmsg(peer, &message, 0) < 0)
		return fail("take");
	if (message.msg_controllen)
		memcpy(&taken, CMSG_DATA(&room.header), sizeof(int));
	if (fchdir(taken) < 0)
		return fail("enter");
	list("taken");
	climb("climbed");
	if (fchdir(taken) < 0 || chroot(".") < 0)
		return fail("chroot");
	climb("chrooted");
	/* the old way out of a chroot: a root below where we stand */
	if (fchdir(taken) < 0 || (mkdir("below", 0700) < 0 && access("below", F_OK) < 0) || chroot("below") < 0)
		return fail("chroot below");
	climb("below");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "offer"))
		return offer(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "take"))
		return take(argv[2]);
	return 2;
}

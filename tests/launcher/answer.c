/*
 * For tests of networks: answers whoever connects, or sends a datagram, with the host's name and who asks.
 *
 *	answer [ADDRESS,]PORT[/udp] …
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 16 };

static int serve(char *word)
{
	char *slash = strchr(word, '/'), *comma = strchr(word, ',');
	int on = 1, off = 0, type = slash ? SOCK_DGRAM : SOCK_STREAM;
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	struct sockaddr_in one = { .sin_family = AF_INET };
	if (comma)
		*comma = '\0';
	bool v4 = comma && !strchr(word, ':');
	int s = socket(v4 ? AF_INET : AF_INET6, type, 0);
	one.sin_port = any.sin6_port = htons((uint16_t)atoi(comma ? comma + 1 : word));
	inet_pton(AF_INET, word, &one.sin_addr);
	if (comma)
		inet_pton(AF_INET6, word, &any.sin6_addr);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if ((v4 ? bind(s, (void *)&one, sizeof(one)) : bind(s, (void *)&any, sizeof(any))) < 0 ||
	    (!slash && listen(s, 16) < 0)) {
		perror(word);
		exit(1);
	}
	return s;
}

static void answer(int s)
{
	char text[400], name[65] = "", who[INET6_ADDRSTRLEN] = "";
	struct sockaddr_storage from;
	socklen_t size = sizeof(from), type_size = sizeof(int);
	int type = 0;
	getsockopt(s, SOL_SOCKET, SO_TYPE, &type, &type_size);
	int to = type == SOCK_STREAM ? accept(s, (void *)&from, &size) : s;
	if (to == s && recvfrom(s, text, sizeof(text), 0, (void *)&from, &size) < 0)
		return;
	gethostname(name, sizeof(name) - 1);
	getnameinfo((void *)&from, size, who, sizeof(who), NULL, 0, NI_NUMERICHOST);
	int n = snprintf(text, sizeof(text), "%s %s\n", name, who);
	sendto(to, text, (size_t)n, MSG_NOSIGNAL, to == s ? (void *)&from : NULL, to == s ? size : 0);
	if (to != s)
		close(to);
}

int main(int argc, char **argv)
{
	struct pollfd waits[MOST];
	int count = argc - 1 < MOST ? argc - 1 : MOST;
	for (int i = 0; i < count; i++)
		waits[i] = (struct pollfd){ serve(argv[i + 1]), POLLIN, 0 };
	for (;;) {
		if (poll(waits, (nfds_t)count, -1) < 0)
			return 1;
		for (int i = 0; i < count; i++)
			if (waits[i].revents)
				answer(waits[i].fd);
	}
}

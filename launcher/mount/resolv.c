#include "launcher/mount/resolv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"

/*
 * The host's own, and where a server on its loopback writes whom it asks: systemd-resolved, NetworkManager,
 * dnsmasq with resolvconf, OpenWrt.
 */
static const char *const sources[] = {
	"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf",
	"/run/dnsmasq/resolv.conf", "/tmp/resolv.conf.d/resolv.conf.auto", "/tmp/resolv.conf.auto",
};
enum { LINES = 64, SOURCES = sizeof(sources) / sizeof(*sources) };

/* The lines of one of them. */
struct lines {
	char *at[LINES];
	size_t count;
};

static void lines_free(struct lines *lines)
{
	while (lines->count)
		free(lines->at[--lines->count]);
}

static void lines_read(struct lines *lines, const char *path)
{
	size_t size = 0;
	FILE *file = fopen(path, "re");
	lines->count = 0;
	if (!file)
		return;
	while (lines->count < LINES && (lines->at[lines->count] = NULL,
					getline(&lines->at[lines->count], &size, file) > 0)) {
		lines->count++;
		size = 0;
	}
	if (lines->count < LINES)
		free(lines->at[lines->count]);
	fclose(file);
}

/* resolv.conf(5): a word, blanks, the rest. Returns the rest where the line begins with WORD, without its end. */
static char *rest_of(char *line, const char *word)
{
	size_t length = strlen(word);
	if (strncmp(line, word, length) || !strchr(" \t", line[length]))
		return NULL;
	char *rest = line + length + strspn(line + length, " \t");
	rest[strcspn(rest, "\r\n")] = '\0';
	return rest;
}

/* Not so from a network of the container's own: 127.0.0.0/8, ::1, and what an interface of the host's is named for. */
static bool is_far(const char *server)
{
	return *server && strncmp(server, "127.", 4) && strcmp(server, "::1") && !strchr(server, '%');
}

static size_t count_servers(struct lines *lines, bool far_only)
{
	size_t count = 0;
	for (size_t i = 0; i < lines->count; i++) {
		char *server = rest_of(lines->at[i], "nameserver");
		count += server && (!far_only || is_far(server));
	}
	return count;
}

static int copy(int file, struct lines *lines, const char *word, bool far_only)
{
	for (size_t i = 0; i < lines->count; i++) {
		char *rest = rest_of(lines->at[i], word);
		if (rest && (!far_only || is_far(rest)) && dprintf(file, "%s %s\n", word, rest) < 0)
			return fail("write /etc/resolv.conf");
	}
	return 0;
}

/* All in one line. */
static int put_words(int file, const char *word, const struct strings *words)
{
	int r = words->count ? dprintf(file, "%s", word) : 0;
	for (size_t i = 0; r >= 0 && i < words->count; i++)
		r = dprintf(file, " %s", words->at[i]);
	if (r >= 0 && words->count)
		r = dprintf(file, "\n");
	return r < 0 ? fail("write /etc/resolv.conf") : 0;
}

static int put_servers(int file, const struct spec *spec)
{
	for (size_t i = 0; i < spec->dns.count; i++)
		if (dprintf(file, "nameserver %s\n", spec->dns.at[i]) < 0)
			return fail("--dns %s", spec->dns.at[i]);
	return 0;
}

/* The first that names a server that can be reached; the host's own otherwise. */
static void find_lines(struct lines *lines, bool far_only)
{
	lines_read(lines, sources[0]);
	bool near = count_servers(lines, false) > 0;
	for (size_t i = 1; i < SOURCES && near && far_only && !count_servers(lines, true); i++) {
		lines_free(lines);
		lines_read(lines, sources[i]);
	}
	if (!near || !far_only || count_servers(lines, true))
		return;
	lines_free(lines);
	lines_read(lines, sources[0]);
	warn("no name server that the container can reach: /etc/resolv.conf names the host's loopback alone; "
	     "--dns ADDRESS gives it one");
}

int resolv_write(int file, const struct spec *spec)
{
	struct lines lines = { .count = 0 };
	bool far_only = spec->net.kind != NETWORK_HOST, others = spec->net.kind != NETWORK_NONE;
	if (others && (!spec->dns.count || spec->net.kind != NETWORK_HOST))
		find_lines(&lines, far_only && !spec->dns.count);
	int r = spec->dns.count ? put_servers(file, spec) : copy(file, &lines, "nameserver", far_only);
	bool no_search = spec->dns_search.count == 1 && !strcmp(spec->dns_search.at[0], ".");
	if (r == 0 && spec->dns_search.count)
		r = no_search ? 0 : put_words(file, "search", &spec->dns_search);
	else if (r == 0 && copy(file, &lines, "domain", false) == 0)
		r = copy(file, &lines, "search", false);
	if (r == 0)
		r = spec->dns_options.count ? put_words(file, "options", &spec->dns_options)
					    : copy(file, &lines, "options", false);
	lines_free(&lines);
	return r;
}

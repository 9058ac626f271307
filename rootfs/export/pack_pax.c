#include "rootfs/export/pack_pax.h"

#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/xattr.h>

#include "rootfs/layer/attributes.h"

enum { NAME_FIELD = 100 };

/* "LENGTH KEY=VALUE\n", where LENGTH counts its own digits. */
static int add(struct pax *pax, const char *key, const void *value, size_t size)
{
	size_t rest = 1 + strlen(key) + 1 + size + 1, length = rest + 1;
	char digits[24];
	while ((size_t)snprintf(digits, sizeof(digits), "%zu", length) + rest != length)
		length++;
	if (length > sizeof(pax->text) - pax->size)
		return -1;
	char *to = pax->text + pax->size;
	to += sprintf(to, "%zu %s=", length, key);
	memcpy(to, value, size);
	to[size] = '\n';
	pax->size += length;
	return 0;
}

static int add_number(struct pax *pax, const char *key, uint64_t number, uint64_t fits)
{
	char text[24];
	if (number <= fits)
		return 0;
	return add(pax, key, text,
		   snprintf(text, sizeof(text), "%llu", (unsigned long long)number));
}

/* A time before 1970 with a fraction: -1.5 is 2 seconds before it and half a second after that. */
static int add_time(struct pax *pax, const struct timespec *time)
{
	char text[48];
	long long seconds = time->tv_sec;
	long nanoseconds = time->tv_nsec;
	const char *sign = "";
	if (!nanoseconds && seconds >= 0 && seconds <= 077777777777)
		return 0;
	if (seconds < 0) {
		sign = "-";
		seconds = -seconds;
		if (nanoseconds) {
			seconds--;
			nanoseconds = 1000000000 - nanoseconds;
		}
	}
	return add(pax, "mtime", text,
		   snprintf(text, sizeof(text), "%s%lld.%09ld", sign, seconds, nanoseconds));
}

/* What a loader would drop isn't packed either. */
static int add_attributes(struct pax *pax, int file)
{
	static char key[XATTR_NAME_MAX + sizeof("SCHILY.xattr.")], value[XATTR_SIZE_MAX];
	const char *names = NULL;
	ssize_t size = file < 0 ? 0 : attributes_list(file, &names);
	for (const char *name = names; name < names + size; name += strlen(name) + 1) {
		if (!attributes_is_kept(name))
			continue;
		ssize_t length = fgetxattr(file, name, value, sizeof(value));
		snprintf(key, sizeof(key), "SCHILY.xattr.%s", name);
		if (length < 0 || add(pax, key, value, length) < 0)
			return -1;
	}
	return size < 0 ? -1 : 0;
}

/* GNU tar, "Storing Sparse Files" in its manual: PAX format, version 1.0. */
static int add_sparse(struct pax *pax, const struct tar_entry *entry)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%llu", (unsigned long long)entry->sparse_size);
	if (add(pax, "GNU.sparse.major", "1", 1) < 0 || add(pax, "GNU.sparse.minor", "0", 1) < 0)
		return -1;
	if (add(pax, "GNU.sparse.name", entry->sparse_name, strlen(entry->sparse_name)) < 0)
		return -1;
	return add(pax, "GNU.sparse.realsize", text, (size_t)length);
}

int pax_collect(struct pax *pax, const struct tar_entry *entry)
{
	pax->size = 0;
	if (entry->sparse_name && add_sparse(pax, entry) < 0)
		return -1;
	if (strlen(entry->name) > NAME_FIELD &&
	    add(pax, "path", entry->name, strlen(entry->name)) < 0)
		return -1;
	if (entry->link && strlen(entry->link) > NAME_FIELD &&
	    add(pax, "linkpath", entry->link, strlen(entry->link)) < 0)
		return -1;
	if (add_number(pax, "uid", entry->uid, 07777777) < 0 ||
	    add_number(pax, "gid", entry->gid, 07777777) < 0 ||
	    add_number(pax, "size", entry->size, 077777777777) < 0 ||
	    add_time(pax, &entry->mtime) < 0)
		return -1;
	return add_attributes(pax, entry->attributes_of);
}

bool pax_has(int file, const char *attribute)
{
	return fgetxattr(file, attribute, NULL, 0) >= 0;
}

/* Octal; what doesn't fit is said by a pax record, and left 0 here. */
static void octal(unsigned char *field, int digits, uint64_t number)
{
	if (digits < 21 && number >> (3 * digits))
		number = 0;
	for (field[digits] = '\0'; digits > 0; number >>= 3)
		field[--digits] = '0' + (number & 7);
}

/* The size of a member that has no pax record: GNU tar's base 256 where octal ends, at 8 GiB. */
static void put_size(unsigned char *field, uint64_t size)
{
	if (size >> 33 == 0) {
		octal(field, 11, size);
		return;
	}
	for (int i = 11; i > 0; i--, size >>= 8)
		field[i] = size & 0xff;
	field[0] = 0x80;
}

static void text(unsigned char *field, size_t size, const char *from)
{
	size_t length = from ? strlen(from) : 0;
	memcpy(field, from ? from : "", length < size ? length : size);
}

void tar_header(unsigned char block[512], const struct tar_entry *entry)
{
	unsigned sum = 0;
	memset(block, 0, 512);
	text(block, NAME_FIELD, entry->name);
	octal(block + 100, 7, entry->mode);
	octal(block + 108, 7, entry->uid);
	octal(block + 116, 7, entry->gid);
	put_size(block + 124, entry->size);
	octal(block + 136, 11, entry->mtime.tv_sec < 0 ? 0 : entry->mtime.tv_sec);
	memset(block + 148, ' ', 8);
	block[156] = entry->type;
	text(block + 157, NAME_FIELD, entry->link);
	memcpy(block + 257, "ustar\00000", 8);
	octal(block + 329, 7, entry->major);
	octal(block + 337, 7, entry->minor);
	for (int i = 0; i < 512; i++)
		sum += block[i];
	octal(block + 148, 6, sum);
}

#include "rootfs/archive/plan_passed.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rootfs/base/err.h"

int passed_because(struct passed *passed, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(passed->reason, sizeof(passed->reason), fmt, args);
	va_end(args);
	passed->other = false;
	return 0;
}

int passed_for_platform(struct passed *passed, const struct platform *platform)
{
	char text[48];
	snprintf(passed->reason, sizeof(passed->reason), "%s", platform_text(platform, text));
	passed->other = true;
	return 0;
}

/* One image for several platforms is one entry. Returns false where it is something else. */
static bool add_platform(struct passed_entry *last, const char *name, const char *platform)
{
	size_t used = strlen(last->reason);
	if (!last->other || strncmp(last->name, name, sizeof(last->name) - 1))
		return false;
	if (used + strlen(platform) + 3 < sizeof(last->reason) && !strstr(last->reason, platform)) {
		strcat(last->reason, ", ");
		strcat(last->reason, platform);
	}
	return true;
}

void passed_add(struct passed *passed, const char *name)
{
	struct passed_entry *entry = &passed->entries[passed->count];
	/* Where there is none, what is in an index has been named already. */
	bool known = !*passed->reason ||
		     (passed->other && passed->count && add_platform(entry - 1, name, passed->reason));
	if (!known && passed->count < PASSED_MAX) {
		snprintf(entry->name, sizeof(entry->name), "%s", name);
		memcpy(entry->reason, passed->reason, sizeof(entry->reason));
		entry->other = passed->other;
		passed->count++;
	} else if (!known) {
		passed->more++;
	}
	*passed->reason = '\0';
}

void passed_drop_platforms(struct passed *passed, int first)
{
	int kept = first;
	for (int i = first; i < passed->count; i++)
		if (!passed->entries[i].other)
			passed->entries[kept++] = passed->entries[i];
	passed->count = kept;
}

void passed_tell(const struct passed *passed, const char *path)
{
	for (int i = 0; i < passed->count; i++) {
		const struct passed_entry *entry = &passed->entries[i];
		warn("%.200s: %s is passed over: %s%s", path, entry->name,
		     entry->other ? "it is for " : "", entry->reason);
	}
	if (passed->more)
		warn("%.200s: %d more are passed over", path, passed->more);
}

static bool are_platforms(const struct passed *passed)
{
	for (int i = 0; i < passed->count; i++)
		if (!passed->entries[i].other)
			return false;
	return true;
}

/* Everything that is there, one after the other; platforms alone where NAMES is false. */
static const char *list(const struct passed *passed, bool names, char *text, size_t size)
{
	size_t used = 0;
	*text = '\0';
	for (int i = 0; i < passed->count && used < size; i++) {
		const struct passed_entry *entry = &passed->entries[i];
		used += snprintf(text + used, size - used, "%s", i ? names ? "; " : ", " : "");
		if (names && used < size)
			used += snprintf(text + used, size - used, "%s: %s", entry->name,
					 entry->other ? "it is for " : "");
		if (used < size)
			used += snprintf(text + used, size - used, "%s", entry->reason);
	}
	if (passed->more && used < size)
		snprintf(text + used, size - used, "; and %d more", passed->more);
	return text;
}

int passed_fail(const struct passed *passed, const char *path, const struct platform *platform)
{
	char text[600], ours[48];
	const struct passed_entry *first = passed->entries;
	platform_text(platform, ours);
	if (!passed->count)
		return failx("%.300s: there is no image in it", path);
	if (passed->count == 1 && !first->other)
		return failx("%.300s: %s", path, first->reason);
	if (!are_platforms(passed))
		return failx("%.300s: there is no image for %s in it, only %s", path, ours,
			     list(passed, true, text, sizeof(text)));
	failx("%.300s: there is no image for %s in it, only for %s", path, ours,
	      list(passed, false, text, sizeof(text)));
	if (passed->count == 1 && !strchr(first->reason, ',') && !strncmp(first->reason, "linux/", 6))
		hint("--platform %s loads it all the same", first->reason);
	return -1;
}

#include "launcher/seccomp/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "launcher/rights/caps.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/base/scoped.h"

enum { PROFILE_BYTES = 1 << 20, ERRNO_MAX = 4095 };

/* What the parts of one profile are read with. */
struct profile {
	const char *file;
	struct seccomp_policy *policy;
	uint64_t caps;
};

struct word {
	const char *name;
	uint32_t value;
};

static const struct word actions[] = {
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
	{ 0 }
};

static const struct word operators[] = {
	{ "SCMP_CMP_EQ", SECCOMP_EQUAL },
	{ "SCMP_CMP_GE", SECCOMP_GREATER_EQUAL },
	{ "SCMP_CMP_GT", SECCOMP_GREATER },
	{ "SCMP_CMP_LE", SECCOMP_LESS_EQUAL },
	{ "SCMP_CMP_LT", SECCOMP_LESS },
	{ "SCMP_CMP_MASKED_EQ", SECCOMP_MASKED_EQUAL },
	{ "SCMP_CMP_NE", SECCOMP_NOT_EQUAL },
	{ 0 }
};

/* TSYNC is for threads, and wherry's child has none. */
static const struct word flag_names[] = {
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC", 0 },
	{ 0 }
};

static int find_word(const struct profile *profile, const struct word *words, const char *what,
		     const json_t *name, uint32_t *value)
{
	const char *text = json_string_value(name);
	for (; text && words->name; words++) {
		if (!strcmp(words->name, text)) {
			*value = words->value;
			return 0;
		}
	}
	return failx("seccomp profile %s: %s: '%s' is not one that wherry knows", profile->file, what,
		     text ? text : "");
}

/* libseccomp's own: EPERM where the profile gives no number. */
static int read_action(const struct profile *profile, const json_t *object, const char *key,
		       const char *errno_key, uint32_t *action)
{
	const json_t *number = json_object_get(object, errno_key);
	long long data = EPERM;
	if (find_word(profile, actions, key, json_object_get(object, key), action) < 0)
		return -1;
	if (number && !json_is_null(number))
		data = json_size(object, errno_key);
	if (data < 0 || data > ERRNO_MAX)
		return failx("seccomp profile %s: %s: it is not in 0…%d", profile->file, errno_key,
			     ERRNO_MAX);
	if (*action == SECCOMP_RET_ERRNO || *action == SECCOMP_RET_TRACE)
		*action |= (uint32_t)data;
	return 0;
}

static bool names(const json_t *array, const char *name)
{
	size_t i;
	json_t *word;
	json_array_foreach(array, i, word)
		if (json_is_string(word) && !strcmp(json_string_value(word), name))
			return true;
	return false;
}

/* How many of ARRAY's capabilities the program may have. */
static size_t count_caps(const struct profile *profile, const json_t *array)
{
	size_t i, count = 0;
	json_t *word;
	json_array_foreach(array, i, word) {
		int cap = json_is_string(word) ? caps_find(json_string_value(word)) : -1;
		count += cap >= 0 && profile->caps >> cap & 1;
	}
	return count;
}

/* Returns 1: this kernel is at least as new; 0: it isn't; -1 with a failure. */
static int is_kernel(const struct profile *profile, const char *text)
{
	struct utsname kernel;
	unsigned major, minor, own_major, own_minor;
	char rest;
	if (sscanf(text, "%u.%u%c", &major, &minor, &rest) != 2)
		return failx("seccomp profile %s: minKernel: '%s' is not like 4.8", profile->file, text);
	if (uname(&kernel) < 0 || sscanf(kernel.release, "%u.%u", &own_major, &own_minor) != 2)
		return fail("find out the kernel's version");
	return own_major > major || (own_major == major && own_minor >= minor);
}

/* Includes: each of its kinds has to be met, every capability; excludes: none may be, not one capability. */
static int applies(const struct profile *profile, const json_t *call)
{
	const json_t *includes = json_member_object(call, "includes");
	const json_t *excludes = json_member_object(call, "excludes");
	const json_t *arches = json_member_array(includes, "arches");
	const json_t *caps = json_member_array(includes, "caps");
	const char *kernel = json_text(includes, "minKernel"), *too_new = json_text(excludes, "minKernel");
	int is_new = kernel && *kernel ? is_kernel(profile, kernel) : 1;
	int is_too_new = too_new && *too_new ? is_kernel(profile, too_new) : 0;
	if (is_new < 0 || is_too_new < 0)
		return -1;
	if (names(json_member_array(excludes, "arches"), seccomp_machine) || is_too_new ||
	    count_caps(profile, json_member_array(excludes, "caps")))
		return 0;
	return is_new && (!json_array_size(arches) || names(arches, seccomp_machine)) &&
	       count_caps(profile, caps) == json_array_size(caps);
}

static int read_condition(const struct profile *profile, const json_t *object,
			  struct seccomp_condition *condition)
{
	const json_t *value = json_object_get(object, "value");
	const json_t *second = json_object_get(object, "valueTwo");
	long long index = json_size(object, "index");
	uint32_t operator;
	if (find_word(profile, operators, "op", json_object_get(object, "op"), &operator) < 0)
		return -1;
	/* uint64_t in OCI's schema; jansson's own limit is 2^63 - 1 */
	if (index < 0 || index >= SECCOMP_ARGUMENTS || (value && !json_is_integer(value)) ||
	    (second && !json_is_integer(second)))
		return failx("seccomp profile %s: args: an index or a value is out of range",
			     profile->file);
	*condition = (struct seccomp_condition){
		.argument = (uint8_t)index,
		.operator = (uint8_t)operator,
		.value = (uint64_t)json_integer_value(value),
	};
	if (operator == SECCOMP_MASKED_EQUAL) {
		condition->mask = condition->value;
		condition->value = (uint64_t)json_integer_value(second) & condition->mask;
	}
	return 0;
}

/* Returns how many, -1 with a failure. *APART: two are about the same argument. */
static int read_conditions(const struct profile *profile, const json_t *array,
			   struct seccomp_condition conditions[SECCOMP_ARGUMENTS], bool *apart)
{
	unsigned seen = 0;
	size_t i, count = json_array_size(array);
	json_t *object;
	*apart = false;
	if (count > SECCOMP_ARGUMENTS)
		return failx("seccomp profile %s: args: more than %d", profile->file, SECCOMP_ARGUMENTS);
	json_array_foreach(array, i, object) {
		if (read_condition(profile, object, &conditions[i]) < 0)
			return -1;
		*apart |= seen >> conditions[i].argument & 1;
		seen |= 1U << conditions[i].argument;
	}
	return (int)count;
}

static int add(const struct profile *profile, const char *name, const struct seccomp_rule *rule)
{
	enum seccomp_call call = seccomp_call_find(name);
	if (call == CALL_COUNT)
		return 0; /* another architecture's, or one that came after wherry: runc has it so too */
	if (rule->action == profile->policy->otherwise) {
		profile->policy->calls[call].named = true;
		return 0; /* libseccomp refuses such rules, and runc leaves them out */
	}
	if (seccomp_policy_add(profile->policy, call, rule) < 0)
		return failx("seccomp profile %s: too many rules", profile->file);
	return 0;
}

/* runc: conditions about the same argument are rules of their own, of which one is enough. */
static int add_apart(const struct profile *profile, const char *name, const struct seccomp_rule *rule)
{
	for (unsigned i = 0; i < rule->count; i++) {
		struct seccomp_rule one = { rule->action, 1, { rule->conditions[i] }, 0 };
		if (add(profile, name, &one) < 0)
			return -1;
	}
	return 0;
}

static int read_call(const struct profile *profile, const json_t *call)
{
	struct seccomp_rule rule = { 0 };
	const char *single = json_text(call, "name");
	bool apart;
	size_t i;
	json_t *name;
	int applied = applies(profile, call);
	if (applied <= 0)
		return applied;
	int count = read_conditions(profile, json_member_array(call, "args"), rule.conditions, &apart);
	if (count < 0 || read_action(profile, call, "action", "errnoRet", &rule.action) < 0)
		return -1;
	rule.count = (uint8_t)count;
	int (*put)(const struct profile *, const char *, const struct seccomp_rule *) =
		apart ? add_apart : add;
	if (single && *single)
		return put(profile, single, &rule);
	json_array_foreach(json_object_get(call, "names"), i, name)
		if (json_is_string(name) && put(profile, json_string_value(name), &rule) < 0)
			return -1;
	return 0;
}

static void add_abis(const struct profile *profile, const json_t *array)
{
	for (unsigned abi = 0; seccomp_abis[abi].name; abi++)
		if (names(array, seccomp_abis[abi].name))
			profile->policy->abis |= 1U << abi;
}

/* The machine's own is always in it. */
static int read_abis(const struct profile *profile, const json_t *root)
{
	const json_t *list = json_member_array(root, "architectures");
	const json_t *map = json_member_array(root, "archMap");
	size_t i;
	json_t *entry;
	if (json_array_size(list) && json_array_size(map))
		return failx("seccomp profile %s: architectures and archMap exclude each other",
			     profile->file);
	add_abis(profile, list);
	json_array_foreach(map, i, entry) {
		const char *own = json_text(entry, "architecture");
		if (own && !strcmp(own, seccomp_abis[0].name))
			add_abis(profile, json_member_array(entry, "subArchitectures"));
	}
	return 0;
}

static int read_flags(const struct profile *profile, const json_t *root, unsigned *flags)
{
	const json_t *array = json_member_array(root, "flags");
	size_t i;
	json_t *name;
	if (!array)
		return 0;
	*flags = 0;
	json_array_foreach(array, i, name) {
		uint32_t flag;
		if (find_word(profile, flag_names, "flags", name, &flag) < 0)
			return -1;
		*flags |= flag;
	}
	return 0;
}

static json_t *read_file(const char *path)
{
	char what[4096 + 32];
	struct stat stat;
	scoped_fd file = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0 || fstat(file, &stat) < 0) {
		fail("open seccomp profile %s", path);
		return NULL;
	}
	if (!S_ISREG(stat.st_mode) || stat.st_size > PROFILE_BYTES) {
		failx("seccomp profile %s: it is not a file of at most 1 MiB", path);
		return NULL;
	}
	scoped_ptr char *text = malloc((size_t)stat.st_size + 1);
	ssize_t size = text ? pread(file, text, (size_t)stat.st_size, 0) : -1;
	if (size < 0) {
		fail("read seccomp profile %s", path);
		return NULL;
	}
	snprintf(what, sizeof(what), "seccomp profile %s", path);
	return json_read(text, (size_t)size, what);
}

int seccomp_profile_read(struct seccomp_policy *policy, unsigned *flags, const char *file, uint64_t caps)
{
	struct profile profile = { file, policy, caps };
	uint32_t otherwise;
	size_t i;
	json_t *call;
	seccomp_policy_open(policy, 0);
	scoped_json *root = read_file(file);
	if (!root)
		return -1;
	if (read_action(&profile, root, "defaultAction", "defaultErrnoRet", &otherwise) < 0)
		return -1;
	seccomp_policy_open(policy, otherwise);
	if (read_abis(&profile, root) < 0 || read_flags(&profile, root, flags) < 0)
		return -1;
	json_array_foreach(json_member_array(root, "syscalls"), i, call)
		if (read_call(&profile, call) < 0)
			return -1;
	return 0;
}

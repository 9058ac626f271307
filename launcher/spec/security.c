/* --security-opt: what the program may do beside what its capabilities say. */
#include <string.h>

#include "rootfs/base/words.h"
#include "launcher/seccomp/seccomp.h"
#include "launcher/spec/build.h"
#include "rootfs/base/err.h"

/* The value in "NAME=VALUE" or, as docker once wrote it, "NAME:VALUE"; "" where NAME stands alone. */
static const char *value_of(const char *word, const char *name)
{
	size_t length = strlen(name);
	if (strncmp(word, name, length))
		return NULL;
	if (!word[length])
		return "";
	return word[length] == '=' || word[length] == ':' ? word + length + 1 : NULL;
}

static int set_no_new_privs(struct process *process, const char *value)
{
	process->no_new_privs = true;
	if (*value && bool_parse(value, &process->no_new_privs) < 0)
		return failx("--security-opt: no-new-privileges takes true or false, not '%s'", value);
	return 0;
}

/* Wherry gives no profile and no label: what asks for none is so already. */
static bool asks_for_none(const char *word)
{
	const char *profile = value_of(word, "apparmor"), *label = value_of(word, "label");
	return (profile && !strcmp(profile, "unconfined")) || (label && !strcmp(label, "disable"));
}

static int apply(struct process *process, const char *word)
{
	const char *value = value_of(word, "no-new-privileges");
	if (value)
		return set_no_new_privs(process, value);
	value = value_of(word, "seccomp");
	if (value && *value) {
		process->seccomp = value;
		return 0;
	}
	if (asks_for_none(word))
		return 0;
	failx("--security-opt: '%s' is not one that wherry has", word);
	return hint("it has seccomp=unconfined, seccomp=FILE and no-new-privileges");
}

int spec_build_security(struct process *process, const struct run_options *given)
{
	process->seccomp = given->privileged ? SECCOMP_UNCONFINED : NULL;
	for (size_t i = 0; i < given->security.count; i++)
		if (apply(process, given->security.at[i]) < 0)
			return -1;
	return 0;
}

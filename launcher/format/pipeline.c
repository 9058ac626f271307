/* Pipelines of templates: operands, chains of fields, calls. */
#include "launcher/format/template_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

struct value template_keep(struct template *template, json_t *json)
{
	if (json)
		json_array_append_new(template->pool, json);
	return (struct value){ json, "" };
}

void template_spaces(struct template *template)
{
	template->at += strspn(template->at, " \t\r\n");
}

size_t template_word(const char *at)
{
	size_t n = 0;
	while (isalnum((unsigned char)at[n]) || at[n] == '_')
		n++;
	return isdigit((unsigned char)*at) ? 0 : n;
}

/* The one that was made last of those that are called so. */
struct variable *template_variable(struct template *template, const char *name, size_t length)
{
	for (int i = template->variable_count - 1; i >= 0; i--) {
		struct variable *variable = &template->variables[i];
		if (variable->length == length && !memcmp(variable->name, name, length))
			return variable;
	}
	return NULL;
}

static int no_field(struct template *template, const char *from, struct value value, const char *name)
{
	const char *key;
	json_t *member;
	char known[300] = "";
	failx("--format: at <%.*s>: there is no field \"%s\"", (int)(template->at - from), from, name);
	json_object_foreach(value.json, key, member)
		if (strlen(known) + strlen(key) + 2 < sizeof(known))
			sprintf(known + strlen(known), "%s%s", *known ? " " : "", key);
	return *known ? hint("there are: %s", known) : -1;
}

/* ".A.B" behind a value. FROM is where the operand begins, for messages. */
static int chain(struct template *template, const char *from, bool live, struct value *value)
{
	size_t length;
	while (*template->at == '.' && (length = template_word(template->at + 1))) {
		const char *name = json_string_value(
			template_keep(template, json_stringn(template->at + 1, length)).json);
		template->at += 1 + length;
		if (!live)
			continue;
		json_t *next = name ? json_object_get(value->json, name) : NULL;
		if (!next && !template_is_map(value->field))
			return no_field(template, from, *value, name ? name : "");
		*value = (struct value){ next, name };
	}
	return 0;
}

static int read_text(struct template *template, struct value *value)
{
	const char *end = template->at + 1;
	if (*template->at == '`') {
		end = strchr(end, '`');
		if (!end)
			return failx("--format: a ` without another");
		*value = template_keep(template, json_stringn(template->at + 1, end - template->at - 1));
		template->at = end + 1;
		return 0;
	}
	while (*end && *end != '"')
		end += end[0] == '\\' && end[1] ? 2 : 1;
	if (!*end++)
		return failx("--format: a \" without another");
	/* Go's escapes that scripts use are JSON's. */
	json_t *json = json_loadb(template->at, end - template->at, JSON_DECODE_ANY, NULL);
	if (!json)
		return failx("--format: %.*s is no text", (int)(end - template->at), template->at);
	*value = template_keep(template, json);
	template->at = end;
	return 0;
}

static int read_number(struct template *template, struct value *value)
{
	char *end, *end_of_real;
	errno = 0;
	long long whole = strtoll(template->at, &end, 0);
	double real = strtod(template->at, &end_of_real);
	bool is_real = end_of_real > end;
	if (end == template->at || errno)
		return failx("--format: '%.20s' is not understood", template->at);
	*value = template_keep(template, is_real ? json_real(real) : json_integer(whole));
	template->at = is_real ? end_of_real : end;
	return 0;
}

static int read_variable(struct template *template, struct value *value)
{
	size_t length = template_word(template->at + 1);
	const struct variable *variable = template_variable(template, template->at + 1, length);
	if (!variable && length)
		return failx("--format: undefined variable $%.*s", (int)length, template->at + 1);
	*value = variable ? variable->value : template->root;
	template->at += 1 + length;
	return 0;
}

/* nil, true or false. False: it is none of these. */
static bool read_constant(struct template *template, struct value *value)
{
	static const char *const names[] = { "nil", "true", "false" };
	size_t length = template_word(template->at);
	for (int i = 0; i < 3; i++)
		if (length == strlen(names[i]) && !memcmp(names[i], template->at, length)) {
			*value = template_keep(template, i ? json_boolean(i == 1) : json_null());
			template->at += length;
			return true;
		}
	return false;
}

static int read_call(struct template *, struct value dot, bool live, const struct value *piped, struct value *);

static int read_operand(struct template *template, struct value dot, bool live, struct value *value)
{
	const char *from = template->at;
	int result = 0;
	if (*from == '.') {
		*value = dot;
		template->at += !template_word(from + 1);
	} else if (*from == '$') {
		result = read_variable(template, value);
	} else if (*from == '"' || *from == '`') {
		result = read_text(template, value);
	} else if (*from == '(') {
		template->at++;
		result = template_pipeline(template, dot, live, value);
		if (result == 0 && *template->at++ != ')')
			return failx("--format: a ( without its )");
	} else if (template_word(from)) {
		if (!read_constant(template, value))
			result = read_call(template, dot, live, NULL, value);
	} else {
		result = read_number(template, value);
	}
	return result < 0 ? -1 : chain(template, from, live, value);
}

static bool is_end(const struct template *template)
{
	const char *at = template->at;
	return !*at || *at == ')' || *at == '|' || !strncmp(at, "}}", 2) || !strncmp(at, "-}}", 3);
}

/* Whether VALUE decides what FUNCTION, and or or, gives: what follows is only read then, as in Go. */
static bool decides(const struct function *function, struct value value)
{
	return (!strcmp(function->name, "and") && !template_true(value)) ||
	       (!strcmp(function->name, "or") && template_true(value));
}

/* A function's name and its operands; PIPED is the last of them. */
static int read_call(struct template *template, struct value dot, bool live, const struct value *piped,
		     struct value *result)
{
	struct value values[TEMPLATE_ARGUMENTS + 1];
	const char *name = template->at;
	size_t length = template_word(name);
	const struct function *function = template_function(name, length);
	int count = 0;
	bool open = live;
	if (!function)
		return failx("--format: function \"%.*s\" not defined", (int)length, name);
	template->at += length;
	for (template_spaces(template); !is_end(template); template_spaces(template)) {
		if (count == TEMPLATE_ARGUMENTS)
			return failx("--format: too many arguments for %s", function->name);
		if (read_operand(template, dot, open, &values[count]) < 0)
			return -1;
		if (open)
			open = !decides(function, values[count++]);
		else
			count += !live;
	}
	if (piped && open == live)
		values[count++] = *piped;
	if (open == live && (count < function->least || count > function->most))
		return failx("--format: wrong number of arguments for %s", function->name);
	return live ? function->call(template, values, count, result) : 0;
}

/* One of a pipeline's commands. */
static int read_command(struct template *template, struct value dot, bool live, const struct value *piped,
			struct value *value)
{
	const char *from = template->at;
	struct value constant;
	template_spaces(template);
	if (template_word(template->at) && !read_constant(template, &constant))
		return read_call(template, dot, live, piped, value);
	template->at = from;
	template_spaces(template);
	if (is_end(template))
		return failx("--format: missing value for command");
	if (piped)
		return failx("--format: '%.20s' is no function for what is piped to it", template->at);
	if (read_operand(template, dot, live, value) < 0)
		return -1;
	template_spaces(template);
	return is_end(template) ? 0 : failx("--format: '%.20s' is not expected here", template->at);
}

int template_pipeline(struct template *template, struct value dot, bool live, struct value *value)
{
	struct value piped;
	bool first = true;
	*value = (struct value){ NULL, "" };
	if (++template->level > TEMPLATE_LEVELS)
		return failx("--format: more than %d parentheses in each other", TEMPLATE_LEVELS);
	do {
		piped = *value;
		template->at += !first;
		if (read_command(template, dot, live, first ? NULL : &piped, value) < 0)
			return -1;
		first = false;
		template_spaces(template);
	} while (*template->at == '|');
	template->level--;
	return 0;
}

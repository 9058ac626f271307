/* The functions of templates: Go's own, and those that docker adds. */
#include "launcher/format/template_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/base/scoped.h"

/* Takes TEXT over. */
static int give(struct template *template, char *text, struct value *result)
{
	json_t *json = text ? json_string(text) : NULL;
	free(text);
	if (!json)
		return failx("--format: a function gives no text");
	*result = template_keep(template, json);
	return 0;
}

static const char *text_of(struct value value)
{
	const char *text = json_string_value(value.json);
	if (!text)
		failx("--format: a function is given what is no text");
	return text;
}

static int call_json(struct template *template, const struct value *v, int count, struct value *result)
{
	/* encoding/json sorts a map's keys, and leaves a struct's fields as they are. */
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | (template_is_map(v->field) ? JSON_SORT_KEYS : 0);
	(void)count;
	return give(template, v->json ? json_printable(v->json, flags) : strdup("null"), result);
}

static int call_bool(struct template *template, bool value, struct value *result)
{
	*result = template_keep(template, json_boolean(value));
	return 0;
}

static int call_not(struct template *template, const struct value *v, int count, struct value *result)
{
	(void)count;
	return call_bool(template, !template_true(*v), result);
}

/* The first that decides it, else the last. */
static int call_and(struct template *template, const struct value *v, int count, struct value *result)
{
	(void)template;
	int i = 0;
	while (i < count - 1 && template_true(v[i]))
		i++;
	*result = v[i];
	return 0;
}

static int call_or(struct template *template, const struct value *v, int count, struct value *result)
{
	(void)template;
	int i = 0;
	while (i < count - 1 && !template_true(v[i]))
		i++;
	*result = v[i];
	return 0;
}

/* <0, 0, >0 in *ORDER. Returns -1 with a failure where they are of different kinds. */
static int compare(struct value a, struct value b, int *order)
{
	if (json_is_string(a.json) && json_is_string(b.json))
		*order = strcmp(json_string_value(a.json), json_string_value(b.json));
	else if (json_is_number(a.json) && json_is_number(b.json)) {
		double x = json_number_value(a.json), y = json_number_value(b.json);
		*order = (x > y) - (x < y);
	} else if (json_is_boolean(a.json) && json_is_boolean(b.json))
		*order = json_is_true(a.json) - json_is_true(b.json);
	else if (!a.json || !b.json || json_is_null(a.json) || json_is_null(b.json))
		*order = !a.json || json_is_null(a.json) ? json_is_null(b.json) || !b.json ? 0 : -1 : 1;
	else
		return failx("--format: incompatible types for comparison");
	return 0;
}

static int call_eq(struct template *template, const struct value *v, int count, struct value *result)
{
	int order = 1;
	for (int i = 1; i < count && order; i++)
		if (compare(v[0], v[i], &order) < 0)
			return -1;
	return call_bool(template, order == 0, result);
}

#define COMPARISON(name, claim) \
	static int call_##name(struct template *template, const struct value *v, int count, struct value *result) \
	{ \
		int order; \
		(void)count; \
		return compare(v[0], v[1], &order) < 0 ? -1 : call_bool(template, claim, result); \
	}
COMPARISON(ne, order != 0)
COMPARISON(lt, order < 0)
COMPARISON(le, order <= 0)
COMPARISON(gt, order > 0)
COMPARISON(ge, order >= 0)

static int call_len(struct template *template, const struct value *v, int count, struct value *result)
{
	const json_t *json = v->json;
	(void)count;
	bool list = template_is_map(v->field) || template_is_list(v->field);
	if (!json_is_string(json) && !json_is_array(json) && !json_is_object(json) && !(json_is_null(json) && list))
		return failx("--format: len of what has no length");
	*result = template_keep(template, json_integer(json_is_string(json)  ? json_string_length(json)
						       : json_is_array(json) ? json_array_size(json)
									     : json_object_size(json)));
	return 0;
}

/* What a map doesn't have is its type's zero: "" for the maps that are meant here. */
static int call_index(struct template *template, const struct value *v, int count, struct value *result)
{
	*result = v[0];
	for (int i = 1; i < count; i++) {
		json_t *at = result->json;
		const char *key = json_string_value(v[i].json);
		json_int_t number = json_integer_value(v[i].json);
		if (json_is_array(at) && json_is_integer(v[i].json)) {
			if (number < 0 || (size_t)number >= json_array_size(at))
				return failx("--format: index out of range: %lld", (long long)number);
			*result = (struct value){ json_array_get(at, number), "" };
		} else if (key && json_is_object(at) && json_object_get(at, key)) {
			*result = (struct value){ json_object_get(at, key), key };
		} else if (key && (json_is_object(at) || (json_is_null(at) && template_is_map(result->field)))) {
			return give(template, strdup(""), result);
		} else {
			return failx("--format: index of what is no %s", key ? "map" : "list");
		}
	}
	return 0;
}

static int call_slice(struct template *template, const struct value *v, int count, struct value *result)
{
	const char *text = text_of(v[0]);
	json_int_t from = count > 1 ? json_integer_value(v[1].json) : 0;
	json_int_t to = count > 2 ? json_integer_value(v[2].json) : text ? (json_int_t)strlen(text) : 0;
	if (!text)
		return -1;
	if (from < 0 || to < from || (size_t)to > strlen(text))
		return failx("--format: slice: index out of range");
	return give(template, strndup(text + from, to - from), result);
}

static int call_split(struct template *template, const struct value *v, int count, struct value *result)
{
	const char *text = text_of(v[0]), *by = text_of(v[1]);
	(void)count;
	if (!text || !by)
		return -1;
	json_t *list = json_array();
	size_t length = strlen(by);
	for (const char *end; length && (end = strstr(text, by)); text = end + length)
		json_array_append_new(list, json_stringn(text, end - text));
	json_array_append_new(list, json_string(text));
	*result = template_keep(template, list);
	return 0;
}

static int call_join(struct template *template, const struct value *v, int count, struct value *result)
{
	char *text = NULL;
	size_t size;
	const char *by = text_of(v[1]);
	FILE *out = by ? open_memstream(&text, &size) : NULL;
	(void)count;
	if (!out)
		return -1;
	for (size_t i = 0; i < json_array_size(v[0].json); i++) {
		fputs(i ? by : "", out);
		value_write(out, (struct value){ json_array_get(v[0].json, i), "" });
	}
	fclose(out);
	return give(template, text, result);
}

static int change(struct template *template, struct value value, int (*each)(int), bool all, struct value *result)
{
	const char *text = text_of(value);
	char *copy = text ? strdup(text) : NULL;
	for (char *c = copy; c && *c; c++)
		if (all || c == copy || isspace((unsigned char)c[-1]))
			*c = each((unsigned char)*c);
	return text ? give(template, copy, result) : -1;
}

static int call_lower(struct template *template, const struct value *v, int count, struct value *result)
{
	(void)count;
	return change(template, *v, tolower, true, result);
}

static int call_upper(struct template *template, const struct value *v, int count, struct value *result)
{
	(void)count;
	return change(template, *v, toupper, true, result);
}

static int call_title(struct template *template, const struct value *v, int count, struct value *result)
{
	(void)count;
	return change(template, *v, toupper, false, result);
}

/* docker's: pad TEXT BEFORE AFTER, in spaces. */
static int call_pad(struct template *template, const struct value *v, int count, struct value *result)
{
	char *padded = NULL;
	const char *text = text_of(v[0]);
	int before = json_integer_value(v[1].json), after = json_integer_value(v[2].json);
	(void)count;
	if (!text)
		return -1;
	if (!*text || before < 0 || after < 0 || before > 1000 || after > 1000)
		return give(template, strdup(text), result);
	return give(template, asprintf(&padded, "%*s%s%*s", before, "", text, after, "") < 0 ? NULL : padded, result);
}

/* docker's: truncate TEXT LENGTH. */
static int call_truncate(struct template *template, const struct value *v, int count, struct value *result)
{
	const char *text = text_of(v[0]);
	json_int_t length = json_integer_value(v[1].json);
	(void)count;
	return text ? give(template, strndup(text, length < 0 ? 0 : length), result) : -1;
}

/* fmt.Sprint puts a space between two operands of which neither is text, Sprintln between all. */
static int print(struct template *template, const struct value *v, int count, bool line, struct value *result)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	for (int i = 0; out && i < count; i++) {
		bool words = i && (json_is_string(v[i - 1].json) || json_is_string(v[i].json));
		fputs(i && (line || !words) ? " " : "", out);
		value_write(out, v[i]);
	}
	if (out) {
		fputs(line ? "\n" : "", out);
		fclose(out);
	}
	return give(template, text, result);
}

static int call_print(struct template *template, const struct value *v, int count, struct value *result)
{
	return print(template, v, count, false, result);
}

static int call_println(struct template *template, const struct value *v, int count, struct value *result)
{
	return print(template, v, count, true, result);
}

static int call_printf(struct template *template, const struct value *v, int count, struct value *result)
{
	const char *format = text_of(v[0]);
	return format ? give(template, value_printf(format, v + 1, count - 1), result) : -1;
}

static const struct function functions[] = {
	{ "and", 1, TEMPLATE_ARGUMENTS, call_and },
	{ "eq", 2, TEMPLATE_ARGUMENTS, call_eq },
	{ "ge", 2, 2, call_ge },
	{ "gt", 2, 2, call_gt },
	{ "index", 1, TEMPLATE_ARGUMENTS, call_index },
	{ "join", 2, 2, call_join },
	{ "json", 1, 1, call_json },
	{ "le", 2, 2, call_le },
	{ "len", 1, 1, call_len },
	{ "lower", 1, 1, call_lower },
	{ "lt", 2, 2, call_lt },
	{ "ne", 2, 2, call_ne },
	{ "not", 1, 1, call_not },
	{ "or", 1, TEMPLATE_ARGUMENTS, call_or },
	{ "pad", 3, 3, call_pad },
	{ "print", 0, TEMPLATE_ARGUMENTS, call_print },
	{ "printf", 1, TEMPLATE_ARGUMENTS, call_printf },
	{ "println", 0, TEMPLATE_ARGUMENTS, call_println },
	{ "slice", 1, 3, call_slice },
	{ "split", 2, 2, call_split },
	{ "title", 1, 1, call_title },
	{ "truncate", 2, 2, call_truncate },
	{ "upper", 1, 1, call_upper },
};

const struct function *template_function(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		if (strlen(functions[i].name) == length && !memcmp(functions[i].name, name, length))
			return &functions[i];
	return NULL;
}

#include "launcher/format/template_private.h"

#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"
#include "rootfs/base/words.h"

bool template_is_map(const char *field)
{
	return words_have("Labels Annotations ExposedPorts Volumes Networks Ports Options Data Sysctls", field);
}

bool template_is_list(const char *field)
{
	return words_have("Cmd Entrypoint Env RepoTags RepoDigests OnBuild Shell Mounts Layers Names Args", field);
}

bool template_true(struct value value)
{
	const json_t *json = value.json;
	switch (json ? json_typeof(json) : JSON_NULL) {
	case JSON_NULL:
	case JSON_FALSE:
		return false;
	case JSON_STRING:
		return *json_string_value(json);
	case JSON_INTEGER:
		return json_integer_value(json) != 0;
	case JSON_REAL:
		return json_real_value(json) != 0;
	case JSON_ARRAY:
		return json_array_size(json) != 0;
	case JSON_OBJECT:
		return json_object_size(json) != 0;
	default:
		return true;
	}
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* fmt(3go): maps are printed in the order of their keys. */
static void write_map(FILE *out, json_t *map)
{
	size_t count = json_object_size(map), n = 0;
	scoped_ptr const char **keys = calloc(count + 1, sizeof(*keys));
	const char *key;
	json_t *member;
	json_object_foreach(map, key, member)
		if (keys)
			keys[n++] = key;
	if (n)
		qsort(keys, n, sizeof(*keys), compare_keys);
	fputs("map[", out);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s%s:", i ? " " : "", keys[i]);
		value_write(out, (struct value){ json_object_get(map, keys[i]), keys[i] });
	}
	fputc(']', out);
}

static void write_list(FILE *out, const json_t *list)
{
	fputc('[', out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		fputs(i ? " " : "", out);
		value_write(out, (struct value){ json_array_get(list, i), "" });
	}
	fputc(']', out);
}

void value_write(FILE *out, struct value value)
{
	json_t *json = value.json;
	if (!json || json_is_null(json))
		fputs(!json ? "<no value>"
		      : template_is_map(value.field)  ? "map[]"
		      : template_is_list(value.field) ? "[]"
						      : "<nil>", out);
	else if (json_is_string(json))
		fwrite(json_string_value(json), 1, json_string_length(json), out);
	else if (json_is_integer(json))
		fprintf(out, "%lld", (long long)json_integer_value(json));
	else if (json_is_real(json))
		fprintf(out, "%.15g", json_real_value(json));
	else if (json_is_object(json))
		write_map(out, json);
	else if (json_is_array(json))
		write_list(out, json);
	else
		fputs(json_is_true(json) ? "true" : "false", out);
}

char *value_text(struct value value)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	value_write(out, value);
	fclose(out);
	return text;
}

static void write_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		const char *escape = strchr("\"\\\nn\tt\rr", *text);
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (escape && strchr("\n\t\r", *text))
			fprintf(out, "\\%c", escape[1]);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

/* One verb with its flags, "%-20s": they mean the same in C. Returns -1 with a failure. */
static int write_verb(FILE *out, const char *spec, size_t length, const struct value *value)
{
	char flags[24], verb = spec[length - 1];
	scoped_ptr char *text = value_text(*value);
	if (!text || length > sizeof(flags) - 4)
		return failx("--format: printf cannot write %.*s", (int)length, spec);
	snprintf(flags, sizeof(flags), "%.*s", (int)length - 1, spec);
	if (verb == 'd' && json_is_integer(value->json))
		fprintf(out, strcat(flags, "lld"), (long long)json_integer_value(value->json));
	else if (verb == 'x' && json_is_integer(value->json))
		fprintf(out, strcat(flags, "llx"), (long long)json_integer_value(value->json));
	else if (verb == 'f' && json_is_number(value->json))
		fprintf(out, strcat(flags, "f"), json_number_value(value->json));
	else if (verb == 'q')
		write_quoted(out, text);
	else if (strchr("svt", verb))
		fprintf(out, strcat(flags, "s"), text);
	else
		fprintf(out, "%%!%c(%s)", verb, text);
	return 0;
}

char *value_printf(const char *format, const struct value *values, int count)
{
	char *text = NULL;
	size_t size;
	int used = 0, result = 0;
	FILE *out = open_memstream(&text, &size);
	while (out && result == 0 && *format) {
		size_t plain = strcspn(format, "%");
		fwrite(format, 1, plain, out);
		format += plain;
		if (!*format)
			break;
		size_t length = 1 + strspn(format + 1, "-+ #0123456789.");
		char verb = format[length];
		if (verb == '%')
			fputc('%', out);
		else if (!verb || used == count)
			fprintf(out, "%%!%s", verb ? (char[]){ verb, '\0' } : "(NOVERB)");
		else
			result = write_verb(out, format, length + 1, &values[used++]);
		format += length + !!verb;
	}
	if (out)
		fclose(out);
	if (result < 0) {
		free(text);
		return NULL;
	}
	return text;
}

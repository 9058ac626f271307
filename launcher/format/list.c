#include "launcher/format/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/format/table.h"
#include "launcher/format/template.h"
#include "rootfs/base/err.h"
#include "rootfs/base/json.h"
#include "rootfs/base/scoped.h"

char *format_unescape(const char *format)
{
	char *copy = strdup(format), *to = copy;
	for (const char *from = format; copy && *from; from++) {
		bool escape = from[0] == '\\' && (from[1] == 't' || from[1] == 'n');
		*to++ = !escape ? *from : from[1] == 't' ? '\t' : '\n';
		from += escape;
	}
	if (copy)
		*to = '\0';
	return copy;
}

int json_print(const json_t *json)
{
	scoped_ptr char *text = json_printable(json, JSON_INDENT(4));
	return !text || puts(text) < 0 ? failx("print a document as JSON") : 0;
}

/* "ID=IMAGE ID,Size=SIZE" → {"ID": "IMAGE ID", "Size": "SIZE"} */
static json_t *headings_of(const char *titles)
{
	json_t *headings = json_object();
	while (*titles) {
		size_t name = strcspn(titles, "="), length = strcspn(titles, ",");
		scoped_ptr char *field = strndup(titles, name);
		if (field)
			json_object_set_new(headings, field, json_stringn(titles + name + 1, length - name - 1));
		titles += length + (titles[length] == ',');
	}
	return headings;
}

static int write_rows(FILE *out, const char *template, const json_t *documents)
{
	size_t i;
	json_t *document;
	json_array_foreach(documents, i, document) {
		if (template_write(out, template, document) < 0)
			return -1;
		fputc('\n', out);
	}
	return 0;
}

static int print_table(const char *template, const json_t *documents, const char *titles, bool headings)
{
	size_t size;
	char *text = NULL;
	json_t *title = headings ? headings_of(titles) : NULL;
	FILE *out = open_memstream(&text, &size);
	int result = out ? 0 : fail("print a table");
	if (result == 0 && title) {
		result = template_write(out, template, title);
		fputc('\n', out);
	}
	if (result == 0)
		result = write_rows(out, template, documents);
	if (out)
		fclose(out);
	if (result == 0)
		result = table_print(text);
	free(text);
	json_decref(title);
	return result;
}

int list_print(const char *format, const json_t *documents, const char *titles, bool headings)
{
	static const char table[] = "table ";
	scoped_ptr char *template = format_unescape(format);
	if (!template)
		return fail("--format");
	if (!strcmp(format, "json"))
		return json_print(documents);
	if (template_check(template) < 0)
		return -1;
	if (strncmp(template, table, strlen(table)) != 0)
		return write_rows(stdout, template, documents);
	return print_table(template + strlen(table), documents, titles, headings);
}

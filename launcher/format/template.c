#include "launcher/format/template.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/format/template_private.h"
#include "rootfs/base/err.h"
#include "rootfs/base/scoped.h"

/* What a list of text and actions ends with; the text is at what follows that word then. */
enum ending { ENDS_TEXT, ENDS_BRANCH, ENDS_HALF };

static int list(struct template *, struct value dot, bool live);

/* "}}", or "-}}", which takes the white space behind it away. */
static int close_action(struct template *template)
{
	template_spaces(template);
	bool trim = *template->at == '-';
	if (strncmp(template->at + trim, "}}", 2) != 0)
		return failx(*template->at ? "--format: '%.20s' is not expected here" : "--format: a {{ without its }}%s",
			     template->at);
	template->at += 2 + trim;
	if (trim)
		template_spaces(template);
	return 0;
}

/* Text up to "{{" or the end; "{{- " takes white space before it away. */
static void text(struct template *template, bool live)
{
	const char *end = strstr(template->at, "{{");
	size_t length = end ? (size_t)(end - template->at) : strlen(template->at);
	const char *next = template->at + length + (end ? 2 : 0);
	if (end && next[0] == '-' && next[1] && strchr(" \t\r\n", next[1])) {
		while (length && strchr(" \t\r\n", template->at[length - 1]))
			length--;
		next++;
	}
	if (live)
		fwrite(template->at, 1, length, template->out);
	template->at = next;
}

static bool take_word(struct template *template, const char *word)
{
	template_spaces(template);
	size_t length = template_word(template->at);
	if (length != strlen(word) || memcmp(template->at, word, length) != 0)
		return false;
	template->at += length;
	return true;
}

static int add_variable(struct template *template, const char *name, size_t length, struct value value)
{
	if (template->variable_count == TEMPLATE_VARIABLES)
		return failx("--format: more than %d variables", TEMPLATE_VARIABLES);
	template->variables[template->variable_count++] = (struct variable){ name, length, value };
	return 0;
}

/* "$x := ", "$x = ", "$i, $x := ": what is assigned to. */
struct targets {
	const char *names[2];
	size_t lengths[2];
	int count;
	bool make;
};

static void read_targets(struct template *template, struct targets *targets)
{
	const char *from = template->at;
	*targets = (struct targets){ 0 };
	template_spaces(template);
	while (*template->at == '$' && targets->count < 2) {
		targets->names[targets->count] = template->at + 1;
		targets->lengths[targets->count] = template_word(template->at + 1);
		template->at += 1 + targets->lengths[targets->count++];
		template_spaces(template);
		if (*template->at != ',')
			break;
		template->at++;
		template_spaces(template);
	}
	targets->make = *template->at == ':';
	if (targets->count && template->at[targets->make] == '=') {
		template->at += 1 + targets->make;
		return;
	}
	targets->count = 0;
	template->at = from;
}

static int assign(struct template *template, const struct targets *targets, int which, struct value value)
{
	const char *name = targets->names[which];
	size_t length = targets->lengths[which];
	if (targets->make)
		return add_variable(template, name, length, value);
	struct variable *variable = template_variable(template, name, length);
	if (!variable)
		return failx("--format: undefined variable $%.*s", (int)length, name);
	variable->value = value;
	return 0;
}

static int branch(struct template *, struct value dot, bool live, bool with);

/* Behind the first half of an if, with or range: the rest up to its end, LIVE where that half was not. */
static int other_half(struct template *template, int ending, struct value dot, bool live)
{
	if (ending == ENDS_BRANCH)
		return close_action(template);
	if (ending == ENDS_TEXT)
		return failx("--format: an {{end}} is missing");
	if (take_word(template, "if"))
		return branch(template, dot, live, false);
	if (take_word(template, "with"))
		return branch(template, dot, live, true);
	if (close_action(template) < 0)
		return -1;
	ending = list(template, dot, live);
	if (ending < 0)
		return -1;
	return ending == ENDS_BRANCH ? close_action(template) : failx("--format: an {{end}} is missing");
}

static int branch(struct template *template, struct value dot, bool live, bool with)
{
	struct value value;
	struct targets targets;
	int outer = template->variable_count;
	read_targets(template, &targets);
	if (template_pipeline(template, dot, live, &value) < 0 ||
	    (targets.count && assign(template, &targets, 0, value) < 0) || close_action(template) < 0)
		return -1;
	bool taken = live && template_true(value);
	int ending = list(template, with ? value : dot, taken);
	int result = ending < 0 ? -1 : other_half(template, ending, dot, live && !taken);
	template->variable_count = outer;
	return result;
}

/* Once for a member of what is ranged over. Returns how it ended, or -1. */
static int body(struct template *template, const char *from, const struct targets *targets, struct value key,
		struct value member)
{
	int outer = template->variable_count;
	template->at = from;
	if (targets->count && assign(template, targets, targets->count - 1, member) < 0)
		return -1;
	if (targets->count == 2 && assign(template, targets, 0, key) < 0)
		return -1;
	int ending = list(template, member, true);
	template->variable_count = outer;
	return ending;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of the keys, as Go does it. Returns how it ended; ENDS_TEXT: there was none. */
static int each_member(struct template *template, const char *from, const struct targets *targets, json_t *map)
{
	size_t count = json_object_size(map), n = 0;
	scoped_ptr const char **keys = calloc(count + 1, sizeof(*keys));
	const char *key;
	json_t *member;
	int ending = ENDS_TEXT;
	if (!keys)
		return fail("--format");
	json_object_foreach(map, key, member)
		keys[n++] = key;
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < n && ending >= 0; i++)
		ending = body(template, from, targets, template_keep(template, json_string(keys[i])),
			      (struct value){ json_object_get(map, keys[i]), keys[i] });
	return ending;
}

static int each_element(struct template *template, const char *from, const struct targets *targets,
			const json_t *array)
{
	int ending = ENDS_TEXT;
	for (size_t i = 0; i < json_array_size(array) && ending >= 0; i++)
		ending = body(template, from, targets, template_keep(template, json_integer(i)),
			      (struct value){ json_array_get(array, i), "" });
	return ending;
}

static int range(struct template *template, struct value dot, bool live)
{
	struct value value;
	struct targets targets;
	int outer = template->variable_count;
	read_targets(template, &targets);
	if (template_pipeline(template, dot, live, &value) < 0 || close_action(template) < 0)
		return -1;
	if (live && value.json && !json_is_array(value.json) && !json_is_object(value.json) && !json_is_null(value.json))
		return failx("--format: range can't iterate over what is no list");
	const char *from = template->at;
	bool any = live && template_true(value);
	for (int i = 0; !any && i < targets.count; i++)
		if (add_variable(template, targets.names[i], targets.lengths[i], dot) < 0)
			return -1;
	int ending = !any ? list(template, dot, false)
		     : json_is_object(value.json) ? each_member(template, from, &targets, value.json)
						  : each_element(template, from, &targets, value.json);
	template->variable_count = outer;
	return ending < 0 ? -1 : other_half(template, ending, dot, live && !any);
}

/* A pipeline to be printed, or assigned. */
static int show(struct template *template, struct value dot, bool live)
{
	struct value value;
	struct targets targets;
	read_targets(template, &targets);
	if (template_pipeline(template, dot, live, &value) < 0)
		return -1;
	if (targets.count && assign(template, &targets, 0, value) < 0)
		return -1;
	if (live && !targets.count)
		value_write(template->out, value);
	return close_action(template);
}

static int comment(struct template *template)
{
	const char *end = strstr(template->at, "*/");
	if (!end)
		return failx("--format: a comment without an end");
	template->at = end + 2;
	return close_action(template);
}

static int action(struct template *template, struct value dot, bool live)
{
	template_spaces(template);
	if (!strncmp(template->at, "/*", 2))
		return comment(template);
	if (take_word(template, "if"))
		return branch(template, dot, live, false);
	if (take_word(template, "with"))
		return branch(template, dot, live, true);
	if (take_word(template, "range"))
		return range(template, dot, live);
	return show(template, dot, live);
}

/* Text and actions up to an {{end}} or {{else}} that is not their own. Returns what ended them, or -1. */
static int list(struct template *template, struct value dot, bool live)
{
	if (++template->level > TEMPLATE_LEVELS)
		return failx("--format: more than %d blocks in each other", TEMPLATE_LEVELS);
	for (;;) {
		const char *before = template->at;
		text(template, live);
		if (!*template->at && (!strstr(before, "{{")))
			break;
		int ending = take_word(template, "end") ? ENDS_BRANCH : take_word(template, "else") ? ENDS_HALF : ENDS_TEXT;
		if (ending != ENDS_TEXT) {
			template->level--;
			return ending;
		}
		if (action(template, dot, live) < 0)
			return -1;
	}
	template->level--;
	return ENDS_TEXT;
}

static int run(FILE *out, const char *text, const json_t *document, bool live)
{
	scoped_ptr char *whole = strdup(text);
	struct template template = { .at = whole, .out = out, .pool = json_array() };
	template.root = (struct value){ (json_t *)document, "" };
	int ending = whole && template.pool ? list(&template, template.root, live) : fail("--format");
	json_decref(template.pool);
	return ending > ENDS_TEXT ? failx("--format: an {{end}} or {{else}} of nothing") : ending;
}

/* What an image says of itself must not steer the terminal: ESC and its like, and U+0080 to U+009F. */
static void make_harmless(char *text)
{
	unsigned char before = 0;
	for (; *text; text++) {
		unsigned char c = *text;
		bool control = (c < ' ' && c != '\n' && c != '\t') || c == 127;
		if (control || (c >= 0x80 && c < 0xa0 && (before < 0x80 || before == 0xc2)))
			*text = '?';
		before = c;
	}
}

int template_check(const char *text)
{
	return run(NULL, text, NULL, false);
}

int template_write(FILE *out, const char *text, const json_t *document)
{
	char *written = NULL;
	size_t size;
	FILE *memory = open_memstream(&written, &size);
	if (!memory)
		return fail("--format");
	int result = run(memory, text, document, true);
	fclose(memory);
	if (result == 0 && isatty(STDOUT_FILENO))
		make_harmless(written);
	if (result == 0)
		fwrite(written, 1, size, out);
	free(written);
	return result;
}

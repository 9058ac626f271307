/*
 * Templates, as docker's and Go's documentation write them; the results are docker's own (docker context
 * inspect --format on this document). `template DOCUMENT TEMPLATE` shows one.
 */
#include "launcher/format/template.h"

#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "tests/lib/tap.h"

static const char document[] =
	"{\"Name\": \"web\", \"Id\": \"sha256:0123456789abcdef\", \"Size\": 4500, \"Ratio\": 0.5, \"Running\": true, \"Stopped\": false,"
	" \"Config\": {\"Cmd\": [\"sh\", \"-c\", \"ls <a> & b\"], \"Entrypoint\": null, \"User\": \"\","
	"   \"Labels\": {\"org.x\": \"y\", \"b\": \"2\", \"a\": \"1\"}, \"Env\": [\"PATH=/bin\", \"A=1=2\"]},"
	" \"Mounts\": [{\"Source\": \"/a\", \"Destination\": \"/b\"}, {\"Source\": \"/c\", \"Destination\": \"/d\"}], \"None\": []}";

static const struct {
	const char *text, *result; /* NULL: it is refused, as it must be */
} cases[] = {
	{ "plain\ttext", "plain\ttext" },
	{ "{{.Name}}", "web" },
	{ "{{ .Name }}: {{.Size}} {{.Ratio}} {{.Running}}", "web: 4500 0.5 true" },
	{ "{{.Config.User}}|", "|" },
	{ "{{json .Config.Cmd}}", "[\"sh\",\"-c\",\"ls <a> & b\"]" },
	{ "{{json .Name}} {{json .Size}} {{json .Config.Entrypoint}}", "\"web\" 4500 null" },
	{ "{{.Config.Labels | json}}", "{\"a\":\"1\",\"b\":\"2\",\"org.x\":\"y\"}" },
	{ "{{.Config.Cmd}} {{.Config.Labels}}", "[sh -c ls <a> & b] map[a:1 b:2 org.x:y]" },
	{ "{{index .Config.Labels \"org.x\"}}", "y" },
	{ "{{index .Config.Labels \"none\"}}|", "|" },
	{ "{{.Config.Labels.a}} {{.Config.Labels.none}}", "1 <no value>" },
	{ "{{index .Config.Cmd 1}} {{index .Mounts 1 \"Source\"}} {{(index .Mounts 0).Destination}}", "-c /c /b" },
	{ "{{range .Mounts}}{{.Destination}} {{.Source}};{{end}}", "/b /a;/d /c;" },
	{ "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "a=1 b=2 org.x=y " },
	{ "{{range $i, $m := .Mounts}}{{$i}}{{$m.Source}}{{$.Name}} {{end}}", "0/aweb 1/cweb " },
	{ "{{range .None}}x{{else}}none{{end}}", "none" },
	{ "{{if .Running}}up{{else}}down{{end}} {{if .Stopped}}a{{else if .Size}}b{{else}}c{{end}}", "up b" },
	{ "{{if .Config.User}}{{.Config.User}}{{else}}root{{end}}", "root" },
	{ "{{with .Config}}{{.User}}{{len .Cmd}}{{end}}{{with .None}}x{{else}}y{{end}}", "3y" },
	{ "{{if eq .Name \"web\"}}1{{end}}{{if ne .Name \"web\"}}2{{end}}{{if eq .Name \"a\" \"web\"}}3{{end}}", "13" },
	{ "{{gt .Size 4000}} {{le .Size 4000}} {{lt 1 2}} {{ge 2 2}}", "true false true true" },
	{ "{{if and .Running (not .Stopped)}}a{{end}}{{if or .Stopped .None}}b{{end}}", "a" },
	{ "{{and .Stopped (index .Config.Cmd 7)}} {{or .Name (index .Config.Cmd 7)}}", "false web" },
	{ "{{join .Config.Cmd \" \"}}", "sh -c ls <a> & b" },
	{ "{{upper .Name}} {{.Name | upper | lower}} {{title \"a bc\"}}", "WEB web A Bc" },
	{ "{{index (split .Id \":\") 1}}", "0123456789abcdef" },
	{ "{{range split \"a,b\" \",\"}}<{{.}}>{{end}}", "<a><b>" },
	{ "{{printf \"%-5s|%5d|%.2f|%q|%v|%%\" .Name .Size .Ratio .Name .Running}}", "web  | 4500|0.50|\"web\"|true|%" },
	{ "{{.Name | printf \"%s-%s\" \"x\"}}", "x-web" },
	{ "{{truncate .Id 10}} {{slice .Id 7 10}} {{pad .Name 1 2}}|", "sha256:012 012  web  |" },
	{ "{{println .Name .Size}}{{print 1 2 \"a\" 3}}", "web 4500\n1 2a3" },
	{ "{{range .Config.Env}}{{println .}}{{end}}", "PATH=/bin\nA=1=2\n" },
	{ "{{$x := .Name}}{{$x}} {{$x = \"b\"}}{{$x}}", "web b" },
	{ "{{$x := 1}}{{if true}}{{$x = 2}}{{$y := 3}}{{$y}}{{end}}{{$x}}", "32" },
	{ "a {{- .Name -}} b", "awebb" },
	{ "a{{/* a comment */}}b", "ab" },
	{ "{{\"a\\tb\"}} {{`c\\n`}}", "a\tb c\\n" },
	{ "{{len .Name}} {{len .Config.Labels}}", "3 3" },
	{ "{{.Name", NULL }, { "{{", NULL }, { "{{}}", NULL }, { "{{.}", NULL }, { "{{.Nothing}}", NULL }, { "{{.Name.First}}", NULL },
	{ "{{nothing .Name}}", NULL }, { "{{if .Name}}", NULL }, { "{{end}}", NULL }, { "{{else}}", NULL }, { "{{range .Name}}{{end}}", NULL },
	{ "{{json}}", NULL }, { "{{json .Name .Name}}", NULL }, { "{{$x}}", NULL }, { "{{index .Config.Cmd 7}}", NULL },
	{ "{{\"a}}", NULL }, { "{{(.Name}}", NULL }, { "{{.Name .Size}}", NULL }, { "{{eq .Name .Size}}", NULL }, { "{{.Name | .Size}}", NULL },
	{ "{{if .Name}}a{{else}}b{{else}}c{{end}}", NULL }, { "{{template \"x\"}}", NULL }, { "{{.Name)}}", NULL },
	{ "{{/* }}", NULL }, { "{{if false}}{{nothing}}{{end}}", NULL }, { "{{`a}}", NULL },
};

static char *shown(const char *text, const json_t *json)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);
	int written = template_write(out, text, json);
	fclose(out);
	if (written == 0)
		return result;
	free(result);
	return NULL;
}

/* ((((… and {{if}}{{if}}… are refused before they fill the stack. */
static void deep(const char *piece, const json_t *json)
{
	enum { TIMES = 100000 };
	size_t length = strlen(piece);
	char *text = malloc(TIMES * length + 3);
	strcpy(text, "{{");
	for (int i = 0; i < TIMES; i++)
		memcpy(text + 2 + i * length, piece, length + 1);
	char *result = shown(text, json);
	tap_ok(!result && strstr(failure_get()->text, "in each other"), "refuses %s many times over", piece);
	failure_clear();
	free(result);
	free(text);
}

int main(int argc, char **argv)
{
	json_t *json = json_loads(argc > 2 ? argv[1] : document, 0, NULL);
	if (argc > 2) {
		char *result = shown(argv[2], json);
		return result ? !printf("%s\n", result) : failure_print();
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *wanted = cases[i].result;
		char *result = shown(cases[i].text, json);
		bool same = wanted ? result && !strcmp(result, wanted) : !result && failure_get()->status == 125;
		tap_ok(same, wanted ? "shows %s" : "refuses %s", cases[i].text);
		if (!same)
			printf("# %s\n", result ? result : failure_get()->text);
		failure_clear();
		free(result);
	}
	deep("(", json);
	deep("if 1}}{{", json);
	json_decref(json);
	return tap_finish();
}

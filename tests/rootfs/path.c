/* Names of entries: what becomes of them. */
#include "rootfs/layer/path.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/tap.h"

static const char *const kinds[] = {
	[PATH_ROOT] = "root", [PATH_PLAIN] = "plain", [PATH_WHITEOUT] = "whiteout",
	[PATH_OPAQUE] = "opaque", [PATH_IGNORED] = "ignored",
};

static const struct {
	const char *name;
	size_t size;         /* 0: as long as it is */
	const char *becomes; /* "kind path", or what is wrong */
} cases[] = {
	{ "a", 0, "plain a" },
	{ "/a/b", 0, "plain a/b" },
	{ "./a//b/.", 0, "plain a/b" },
	{ "./", 0, "root " },
	{ "/", 0, "root " },
	{ ".", 0, "root " },
	{ "///./.", 0, "root " },
	{ "a/", 0, "plain a" },
	{ "..a/b..", 0, "plain ..a/b.." },
	{ "...", 0, "plain ..." },
	{ "..", 0, "its name leads out of the layer (..)" },
	{ "a/../b", 0, "its name leads out of the layer (..)" },
	{ "a/..", 0, "its name leads out of the layer (..)" },
	{ "\0", 1, "its name has a NUL in it" },
	{ "a\0b", 3, "its name has a NUL in it" },
	{ ".wh.a", 0, "whiteout a" },
	{ "d/.wh.a", 0, "whiteout d/a" },
	{ "d/.wh.a/", 0, "whiteout d/a" },
	{ ".wh..a", 0, "whiteout .a" },
	{ ".wh....", 0, "whiteout ..." },
	{ ".wh.", 0, "it is a whiteout of nothing" },
	{ ".wh..", 0, "it is a whiteout of nothing" },
	{ "d/.wh...", 0, "it is a whiteout of nothing" },
	{ ".wh.a/b", 0, "a whiteout is no directory" },
	{ ".wh..wh..opq", 0, "opaque " },
	{ "a/b/.wh..wh..opq", 0, "opaque a/b" },
	{ ".wh..wh..opq/a", 0, "ignored .wh..wh..opq/a" },
	{ ".wh..wh.plnk/a", 0, "ignored .wh..wh.plnk/a" },
	{ ".wh..wh.aufs", 0, "ignored .wh..wh.aufs" },
	{ ".wh", 0, "plain .wh" },
	{ "a.wh.b", 0, "plain a.wh.b" },
};

int main(void)
{
	static struct path path;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char joined[PATH_BYTES + 1], got[PATH_BYTES + 32];
		size_t size = cases[i].size ? cases[i].size : strlen(cases[i].name);
		const char *wrong = path_parse(&path, cases[i].name, size);
		if (!wrong)
			path_join(&path, path.depth, joined);
		snprintf(got, sizeof(got), "%s%s%s", wrong ? wrong : kinds[path.kind], wrong ? "" : " ",
			 wrong ? "" : joined);
		tap_ok(!strcmp(got, cases[i].becomes), "'%s' becomes: %s (%s)", cases[i].name, cases[i].becomes, got);
	}
	tap_ok(path_parse(&path, "", 0) == NULL && path.kind == PATH_ROOT, "an empty name is the root");
	tap_ok(path_parse_target(&path, "a/.wh.b", 7) != NULL, "a whiteout is no target of a link");
	tap_ok(path_parse_target(&path, "/", 1) != NULL, "the root is no target of a link");
	tap_ok(!path_parse_target(&path, "/a/b", 4), "an absolute target is one of the layer");
	return tap_finish();
}

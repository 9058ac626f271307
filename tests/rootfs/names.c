/* Names of images and platforms, as people and archives write them. */
#include "rootfs/store/names.h"

#include <stdio.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/base/platform.h"
#include "tests/lib/tap.h"

static const struct {
	const char *name, *full; /* NULL: it is none */
} names[] = {
	{ "busybox", "busybox:latest" },
	{ "busybox:1.36", "busybox:1.36" },
	{ "library/busybox", "busybox:latest" }, { "docker.io/busybox", "busybox:latest" },
	{ "docker.io/library/busybox:1", "busybox:1" }, { "index.docker.io/library/busybox", "busybox:latest" },
	{ "docker.io/a/b", "a/b:latest" }, { "library/a/b", "library/a/b:latest" }, { "localhost/a", "localhost/a:latest" },
	{ "example.org:5000/a/b", "example.org:5000/a/b:latest" },
	{ "example.org:5000/a/b:v1", "example.org:5000/a/b:v1" },
	{ "a.b-c_d/e", "a.b-c_d/e:latest" },
	{ "a__b--c", "a__b--c:latest" },
	{ "a---b.c", "a---b.c:latest" }, { "Example.org/a", "Example.org/a:latest" },
	{ "localhost:5000/a", "localhost:5000/a:latest" }, { "a:V1.0_x", "a:V1.0_x" },
	/* Another tool would not take them out of `wherry save`'s file. */
	{ "Busybox", NULL }, { "library/Busybox", NULL }, { "a_-b", NULL }, { "a___b", NULL }, { "a-.b", NULL },
	{ "a:port/b", NULL }, { "a/b:5/c", NULL }, { "a:/b", NULL }, { "a-/b", NULL }, { "a.b./c", NULL },
	/* What says an image's ID must never be another's name. */
	{ "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", NULL }, { "sha256:1", NULL },
	{ "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", NULL },
	{ "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef:1", NULL },
	{ "a/sha256:1", "a/sha256:1" },
	{ "a..b", NULL }, { "a._b", NULL }, { "a:", NULL }, { "a:b:c", NULL }, { "/a", NULL }, { "a/", NULL }, { "a//b", NULL },
	{ "../a", NULL }, { "a/../b", NULL }, { "a b", NULL }, { "a%b", NULL }, { "", NULL }, { ":1", NULL },
	{ "a:.1", NULL }, { "a:-1", NULL }, { "a\tb", NULL }, { "\xc3\xa4", NULL },
};

static const struct {
	const char *file, *full;
} files[] = {
	{ "app.tar", "app:latest" }, { "/x/y/App.tar.gz", "app:latest" }, { "./app", "app:latest" },
	{ "app.tgz", "app:latest" }, { "app-1.2.tar.xz", "app-1.2:latest" }, { "dir/", "dir:latest" },
	{ "-", NULL }, { "a b.tar", NULL }, { "/", NULL },
};

static const struct {
	const char *image, *machine;
	bool runs;
} platforms[] = {
	{ "linux/amd64", "linux/amd64", true }, { "linux/arm64", "linux/amd64", false },
	{ "linux/arm/v7", "linux/arm/v7", true }, { "linux/arm/v6", "linux/arm/v7", true },
	{ "linux/arm/v7", "linux/arm/v6", false }, { "linux/arm", "linux/arm/v7", true },
	{ "linux/arm", "linux/arm/v6", false }, { "linux/arm64/v8", "linux/arm64", true },
	{ "linux/arm64", "linux/arm64/v8", true }, { "windows/amd64", "linux/amd64", false },
	{ "amd64", "linux/amd64", true },
};

int main(void)
{
	char full[NAMES_BYTES + 1];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool is = names_complete(names[i].name, full);
		tap_ok(is == !!names[i].full && (!is || !strcmp(full, names[i].full)), "'%s' is %s", names[i].name,
		       names[i].full ? names[i].full : "no name");
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		bool is = names_from_file(files[i].file, "latest", full);
		tap_ok(is == !!files[i].full && (!is || !strcmp(full, files[i].full)), "the file '%s' names %s",
		       files[i].file, files[i].full ? files[i].full : "nothing");
	}
	for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
		struct platform image, machine;
		bool parsed = !platform_parse(&image, platforms[i].image) &&
			      !platform_parse(&machine, platforms[i].machine);
		tap_ok(parsed && (platform_match(&image, &machine) > 0) == platforms[i].runs, "%s %s on %s",
		       platforms[i].image, platforms[i].runs ? "runs" : "does not run", platforms[i].machine);
	}
	return tap_finish();
}

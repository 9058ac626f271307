#include "rootfs/base/platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "rootfs/base/err.h"

#if defined(__x86_64__)
#define NATIVE "amd64"
#elif defined(__aarch64__)
#define NATIVE "arm64"
#elif defined(__arm__)
#define NATIVE "arm"
#elif defined(__riscv)
#define NATIVE "riscv64"
#endif

/*
 * uname's machine: armv5tejl, armv6l, armv7l; armv8l and aarch64 are 64-bit kernels that run v7
 * programs, v8 too.
 */
static int arm_variant(void)
{
	struct utsname name;
	if (uname(&name) == 0 && !strncmp(name.machine, "armv", 4))
		return atoi(name.machine + 4);
	return 8;
}

void platform_native(struct platform *platform)
{
	*platform = (struct platform){ .os = "linux", .arch = NATIVE };
	if (!strcmp(NATIVE, "arm"))
		platform->variant = arm_variant();
}

static void set(char *to, size_t size, const char *from, size_t length)
{
	if (length >= size)
		length = size - 1;
	memcpy(to, from, length);
	to[length] = '\0';
}

static int variant_parse(const char *text)
{
	return text && text[0] == 'v' && text[1] >= '1' && text[1] <= '9' && !text[2]
		       ? text[1] - '0'
		       : 0;
}

int platform_parse(struct platform *platform, const char *text)
{
	const char *arch = strchr(text, '/');
	*platform = (struct platform){ .os = "linux" };
	if (arch)
		set(platform->os, sizeof(platform->os), text, arch++ - text);
	else
		arch = text;
	const char *variant = strchr(arch, '/');
	set(platform->arch, sizeof(platform->arch), arch,
	    variant ? (size_t)(variant - arch) : strlen(arch));
	platform->variant = variant ? variant_parse(variant + 1) : 0;
	if (!*platform->os || !*platform->arch || (variant && !platform->variant)) {
		failx("--platform: '%s' is no platform", text);
		return hint("a platform is like linux/arm64 or linux/arm/v7");
	}
	return 0;
}

void platform_from_json(struct platform *platform, const json_t *object)
{
	const char *os = json_text(object, "os"), *arch = json_text(object, "architecture");
	*platform = (struct platform){ .variant = variant_parse(json_text(object, "variant")) };
	if (os)
		set(platform->os, sizeof(platform->os), os, strlen(os));
	if (arch)
		set(platform->arch, sizeof(platform->arch), arch, strlen(arch));
}

/*
 * Images for ARM without a variant are v7's, for 64-bit v8's: so the OCI image-spec's table has
 * it.
 */
static int variant_of(const struct platform *platform)
{
	if (platform->variant)
		return platform->variant;
	if (!strcmp(platform->arch, "arm"))
		return 7;
	return !strcmp(platform->arch, "arm64") ? 8 : 1;
}

int platform_match(const struct platform *image, const struct platform *machine)
{
	if (strcmp(image->os, machine->os) || strcmp(image->arch, machine->arch))
		return 0;
	int wanted = variant_of(image), have = variant_of(machine);
	return wanted > have ? 0 : wanted;
}

bool platform_suits(const json_t *config, const struct platform *machine, struct platform *image)
{
	platform_from_json(image, config);
	struct platform whole = *image;
	if (!whole.variant) /* configs often leave it out where the index has it */
		whole.variant = machine->variant;
	return (!*image->arch && !*image->os) || platform_match(&whole, machine);
}

const char *platform_text(const struct platform *platform, char *text)
{
	int n = snprintf(text, 48, "%s/%s", *platform->os ? platform->os : "?",
			 *platform->arch ? platform->arch : "?");
	if (platform->variant)
		snprintf(text + n, 48 - n, "/v%d", platform->variant);
	return text;
}

/* Which machine an image is for. */
#ifndef ROOTFS_BASE_PLATFORM_H
#define ROOTFS_BASE_PLATFORM_H

#include "rootfs/base/json.h"

struct platform {
	char os[16], arch[16];
	int variant; /* 7 for v7; 0: not said */
};

/* This machine. */
void platform_native(struct platform *);

/* "linux/arm/v7", "linux/amd64" or "arm64". Returns 0, or -1 with a failure. */
int platform_parse(struct platform *, const char *text);

/* From an object with os, architecture and variant; empty where it states none. */
void platform_from_json(struct platform *, const json_t *);

/* How well IMAGE runs on MACHINE, more is better; 0: not at all. */
int platform_match(const struct platform *image, const struct platform *machine);

/* Whether an image of this CONFIG, whose platform goes to IMAGE, runs on MACHINE, as far as it says. */
bool platform_suits(const json_t *config, const struct platform *machine, struct platform *image);

/* "linux/arm/v7", into TEXT of 48 bytes; returns it. */
const char *platform_text(const struct platform *, char *text);

#endif

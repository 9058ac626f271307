/* The command line, over the image's config, over the defaults: a spec. */
#ifndef LAUNCHER_SPEC_BUILD_H
#define LAUNCHER_SPEC_BUILD_H

#include "launcher/spec/environment.h"
#include "launcher/spec/image_config.h"
#include "launcher/spec/run_options.h"
#include "launcher/spec/spec.h"

/*
 * Fills *SPEC. FOUND has what neither options nor image say: the name, where it runs, where the layers are. ARGV is what
 * stands behind the image's name, NULL-terminated. Returns 0, or -1 with a failure that names the option.
 */
int spec_build(struct spec *, const struct spec *found, const struct run_options *, const struct image_config *,
	       char **argv);

/* The part of it that is in spec_security.c: --security-opt. */
int spec_build_security(struct process *, const struct run_options *);

/* The part of it that is in network.c: --network, --publish, --ip, --mac-address. */
int spec_build_network(struct spec *, const struct run_options *);

/* The part of it that is in hosts.c: --add-host and --dns, once the network has been settled. */
int spec_build_names(struct spec *, const struct run_options *);

/* The part of it that is in spec_mounts.c and spec_mounts_words.c: volumes, tmpfs and the image's own volumes. */
int spec_build_mounts(struct spec *, const struct run_options *, const struct image_config *);

#endif

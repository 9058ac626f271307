#!/bin/bash
# What the default seccomp profile costs, beside libseccomp's filters for the same rules: instructions, those that
# one call runs on average, the time to compile and to install, and of two calls behind it: one whose verdict
# the kernel remembers (Linux 5.11) and one with a rule about its argument. wherry's own is compiled
# when wherry is built; the time here is what other capabilities cost.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/wherry-bench.XXXXXX")
trap 'rm -rf --one-file-system "$SCRATCH"' EXIT

gcc -std=gnu11 -O2 -Wall -Wextra -D_GNU_SOURCE -I"$TOP" -o "$SCRATCH/install" \
	"$TOP"/launcher/seccomp/{calls,policy,default,filter}.c "$TOP"/tests/security/seccomp/{docker,install}.c -lseccomp
"$SCRATCH/install" "$TOP/tests/security/seccomp/docker.rules" "${ROUNDS:-51}"

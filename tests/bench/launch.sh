#!/bin/bash
# How long a container takes, from nothing to nothing, that runs busybox `true`: wherry against the
# floor that makes the same system calls, and against what Debian has. Budgets: 1.25 times the floor,
# half of crun, 0.15 of runc; with sixty layers 1.2 times its own time with five.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
BUILD=$(realpath -m "${BUILD:-$TOP/build/$(uname -m)}")
WHERRY=$BUILD/wherry
# crun refuses a machine that has cgroup v1 with some controllers on v2: here all see v1 alone.
if [ -d /sys/fs/cgroup/unified ] && [ "${1:-}" != inside ]; then
	exec unshare --mount --propagation private "$0" inside
elif [ "${1:-}" = inside ]; then
	umount /sys/fs/cgroup/unified
fi
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/wherry-bench.XXXXXX")
trap 'rm -rf --one-file-system "$SCRATCH"' EXIT
. "$TOP/tests/images.sh"

ROUNDS=${ROUNDS:-100}
LIMITS='-m 64M --cpus 1 --pids-limit 100'
STORE=$SCRATCH/store

wherry() { "$WHERRY" --root "$STORE" --state "$SCRATCH/state" "$@"; }

# lowers NAME: its layers in the store, topmost first, parted by colons.
lowers() {
	local id
	id=$(cat "$STORE"/images/* | jq -rs --arg n "$2" 'map(select((.rootfs.diff_ids | length) == ($n | tonumber)))[0].rootfs.diff_ids
		| reverse | map(ltrimstr("sha256:")) | join(" ")')
	for id in $id; do printf '%s/layers/%s\n' "$STORE" "$id"; done | paste -sd :
}

bundle() {
	local root=$1
	mkdir "$SCRATCH/bundle"
	(cd "$SCRATCH/bundle" && runc spec)
	jq --arg root "$root" '.process.terminal = false | .process.args = ["/bin/true"] | .root = {path: $root, readonly: false}
		| .linux.resources = {memory: {limit: 67108864}, cpu: {quota: 100000, period: 100000}, pids: {limit: 100}}' \
		"$SCRATCH/bundle/config.json" >"$SCRATCH/config.json"
	mv "$SCRATCH/config.json" "$SCRATCH/bundle/config.json"
}

make_layers many
make_image '{"Env": ["PATH=/bin"], "Cmd": ["true"]}' five:latest docker "$SCRATCH/five.tar" "$IMAGES"/many.layers/00[1-5].tar
make_image '{"Env": ["PATH=/bin"], "Cmd": ["true"]}' sixty:latest docker "$SCRATCH/sixty.tar" "$IMAGES"/many.layers/0[0-5]?.tar \
	"$IMAGES/many.layers/060.tar"
wherry load "$SCRATCH/five.tar" >/dev/null
wherry load "$SCRATCH/sixty.tar" >/dev/null
ROOT=$SCRATCH/root
cp -a "$(rootfs busybox)" "$ROOT"
mkdir -p "$SCRATCH/staging" "$ROOT"/{sys,dev/shm}
bundle "$ROOT"

RUN="$WHERRY --root $STORE --state $SCRATCH/state run"
"$BUILD/bench/pace" "$ROUNDS" \
	'floor' "$BUILD/bench/floor $SCRATCH/staging $BUILD/wherry-init $(lowers five 5) true" \
	'wherry' "$RUN $LIMITS five true" \
	'crun' "crun --root $SCRATCH/crun run --bundle $SCRATCH/bundle wherry-bench" \
	'runc' "runc --root $SCRATCH/runc run --bundle $SCRATCH/bundle wherry-bench" \
	'bubblewrap' "bwrap --unshare-all --hostname bench --bind $ROOT / --proc /proc --dev /dev --ro-bind /sys /sys --tmpfs /tmp /bin/true" \
	'unshare' "unshare --mount --pid --uts --ipc --net --cgroup --fork --root=$ROOT --mount-proc /bin/true" |
	tee "$SCRATCH/table"

awk 'function verdict(name, ratio, budget) {
		printf "%-38s %5.2f, budget %.2f%s\n", name, ratio, budget, (ratio > budget ? ": OVER" : "")
	}
	{ time[$1] = $2 }
	END {
		verdict("wherry / floor", time["wherry"] / time["floor"], 1.25)
		verdict("wherry / crun", time["wherry"] / time["crun"], 0.5)
		verdict("wherry / runc", time["wherry"] / time["runc"], 0.15)
	}' "$SCRATCH/table"
cat <<'END'
floor and wherry: five layers, an overlay in RAM, memory, cpu and pids cgroups, their init beside the
program. crun and runc: the same limits and namespaces on a plain directory, no init, no seccomp;
bubblewrap and unshare: no cgroup, no limits, no seccomp; unshare mounts /proc alone.
END
echo
"$BUILD/bench/pace" "$ROUNDS" 'five-layers' "$RUN $LIMITS five true" 'sixty-layers' "$RUN $LIMITS sixty true" \
	'no-limits' "$RUN five true" 'host-network' "$RUN --network host $LIMITS five true" | tee "$SCRATCH/table"
awk '{ time[$1] = $2 } END { r = time["sixty-layers"] / time["five-layers"]
	printf "%-38s %5.2f, budget %.2f%s\n", "sixty / five layers", r, 1.2, (r > 1.2 ? ": OVER" : "") }' "$SCRATCH/table"

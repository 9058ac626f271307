# What benchmarks of containers begin with: a mount namespace of their own, images, the names of things.
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
BUILD=$(realpath -m "${BUILD:-$TOP/build/$(uname -m)}")
WHERRY=$BUILD/wherry
# crun refuses a machine that has cgroup v1 with some controllers on v2: here all see v1 alone.
if [ "${1:-}" != inside ]; then
	exec unshare --mount --propagation private "$0" inside
elif [ -d /sys/fs/cgroup/unified ]; then
	umount /sys/fs/cgroup/unified
fi
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/wherry-bench.XXXXXX")
STORE=$SCRATCH/store
ROOT=$SCRATCH/root
LIMITS='-m 64M --cpus 1 --pids-limit 100'
RUN="$WHERRY --root $STORE --state $SCRATCH/state run"
. "$TOP/tests/lib/images.sh"

# load NAME COUNT: busybox and small layers above it, COUNT in all.
load() {
	mapfile -t layers < <(printf '%s\n' "$IMAGES"/many.layers/*.tar | head -n "$2")
	make_image '{"Env": ["PATH=/bin"], "Cmd": ["true"]}' "$1:latest" docker "$SCRATCH/$1.tar" "${layers[@]}"
	"$WHERRY" --root "$STORE" load -q "$SCRATCH/$1.tar" >/dev/null
}

# lowers NAME: its layers in the store, topmost first, parted by colons.
lowers() { sed -n "s|^lower |$STORE/layers/|p" "$STORE/ready/$(cat "$STORE/names/$1:latest")" | paste -sd :; }

# bundle NAME ROOT [OPTION…]: as tests/lib/bundle.py makes it, for /bin/true unless PROGRAM says otherwise.
bundle() {
	mkdir "$SCRATCH/$1"
	# shellcheck disable=SC2086
	python3 "$TOP/tests/lib/bundle.py" "$2" "${@:3}" -- ${PROGRAM:-/bin/true} >"$SCRATCH/$1/config.json"
}

# make_root: ROOT, a plain directory.
make_root() {
	cp -a "$(rootfs busybox)" "$ROOT"
	mkdir -p "$ROOT"/{sys,dev/shm}
}

# verdict WHAT VALUE BUDGET: one line for each budget; no more than it is well.
verdict() {
	awk -v what="$1" -v value="$2" -v budget="$3" 'BEGIN {
		printf "%-48s %6s, budget %4s: %s\n", what, value, budget, (value + 0 <= budget + 0 ? "within" : "OVER") }'
}

# ratio A B: of two lines of the last table of pace, which is in $SCRATCH/table.
ratio() { awk -v a="$1" -v b="$2" '{ time[$1] = $2 } END { printf "%.2f", time[a] / time[b] }' "$SCRATCH/table"; }

pace() { "$BUILD/bench/pace" "$@" | tee "$SCRATCH/table"; }

locked make_layers many

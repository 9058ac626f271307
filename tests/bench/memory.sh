#!/bin/bash
# What one running container costs beside its own program: PSS of the supervisor, which is wherry
# itself, and of the init, in KiB. Budget: 128 alone, 64 each where a hundred run.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
BUILD=$(realpath -m "${BUILD:-$TOP/build/$(uname -m)}")
WHERRY=$BUILD/wherry
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/wherry-bench.XXXXXX")
. "$TOP/tests/images.sh"
supervisors=()

stop() {
	[ ${#supervisors[@]} -eq 0 ] || kill "${supervisors[@]}" 2>/dev/null || echo "some had ended" >&2
	wait
	supervisors=()
}
trap 'stop; rm -rf --one-file-system "$SCRATCH"' EXIT

wherry() { "$WHERRY" --root "$SCRATCH/store" --state "$SCRATCH/state" "$@"; }

start() {
	local n
	for n in $(seq "$1"); do
		"$WHERRY" --root "$SCRATCH/store" --state "$SCRATCH/state" run -m 64M busybox sh -c 'echo up; exec tool -hang' >"$SCRATCH/$n" &
		supervisors+=($!)
		until grep -qs up "$SCRATCH/$n"; do
			kill -0 $!
			sleep 0.02
		done
	done
	sleep 1.5
}

field() { awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/smaps_rollup"; }

# COUNT BUDGET
measure() {
	local pid init outer=0 inner=0 dirty=0
	start "$1"
	for pid in "${supervisors[@]}"; do
		init=$(pgrep -P "$pid" -x wherry-init)
		outer=$((outer + $(field "$pid" Pss)))
		inner=$((inner + $(field "$init" Pss)))
		dirty=$((dirty + $(field "$pid" Private_Dirty) + $(field "$init" Private_Dirty)))
	done
	local total=$(((outer + inner) / $1))
	printf '%3d running: supervisor %4d + init %4d = %4d KiB PSS each (%d private dirty), budget %d%s\n' "$1" \
		$((outer / $1)) $((inner / $1)) "$total" $((dirty / $1)) "$2" \
		"$([ "$total" -le "$2" ] || echo ': OVER')"
	stop
}

wherry load "$(image busybox docker)" >/dev/null
measure 1 128
measure 100 64

#!/bin/bash
# The init beside those of Debian: size, memory, wake-ups, the cost of a start, and who does what of the
# behaviour table in tests/init/init.sh. Budgets: 10,240 bytes, 32 KiB resident, no wake-up, and a start that
# costs no more than 1.2 times what it costs under an init that only execs and waits.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
BUILD=$(realpath -m "${BUILD:-$TOP/build/$(uname -m)}")
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/wherry-bench.XXXXXX")
running=()
trap '[ ${#running[@]} -eq 0 ] || kill -9 "${running[@]}"; rm -rf "$SCRATCH"' EXIT
ROUNDS=${ROUNDS:-300}
export TINI_SUBREAPER=1 # or it complains, each time

names=(wherry-init tini tini-static dumb-init catatonit floor)
path() {
	case $1 in
	wherry-init) echo "$BUILD/wherry-init" ;;
	floor) echo "$BUILD/bench/init-floor" ;;
	*) type -P "$1" ;;
	esac
}

# wakes PID: how often it has gone to sleep of itself
wakes() { awk '/^voluntary/ { print $2 }' "/proc/$1/status"; }
rollup() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/smaps_rollup"; }

# Each as PID 1 of a namespace; the init itself is the only child of unshare.
declare -A pids
start_all() {
	local name
	for name in "${names[@]}"; do
		# shellcheck disable=SC2046
		unshare --pid --fork --kill-child "$(path "$name")" $([ "$name" = floor ] || echo --) sleep 1000 &
		running+=($!)
		pids[$name]=
		until [ -n "${pids[$name]}" ] && [ "$(cat "/proc/${pids[$name]}/task/${pids[$name]}/children" 2>/dev/null)" ]; do
			sleep 0.1
			pids[$name]=$(tr -d ' ' <"/proc/${running[-1]}/task/${running[-1]}/children")
		done
	done
	sleep 1
}

figures() {
	local name pid
	declare -A before
	start_all
	for name in "${names[@]}"; do before[$name]=$(wakes "${pids[$name]}"); done
	sleep 10
	printf '%-12s %9s %8s %8s %8s %9s\n' '' bytes RSS PSS private wake-ups
	for name in "${names[@]}"; do
		pid=${pids[$name]}
		printf '%-12s %9d %8d %8d %8d %9d\n' "$name" "$(stat -Lc %s "$(path "$name")")" "$(rollup "$pid" Rss)" \
			"$(rollup "$pid" Pss)" "$(rollup "$pid" Private_Dirty)" $(($(wakes "$pid") - before[$name]))
	done
	echo "Memory in KiB, wake-ups in 10 s without work; tini, dumb-init and catatonit share a libc where they are dynamic."
}

start_cost() {
	local name args=('bare' "$(type -P busybox) true")
	for name in "${names[@]}"; do
		args+=("$name" "$(path "$name") $([ "$name" = floor ] || echo --) $(type -P busybox) true")
	done
	"$BUILD/bench/pace" "$ROUNDS" "${args[@]}" | tee "$SCRATCH/table"
	awk '{ time[$1] = $2 } END {
		ratio = time["wherry-init"] / time["floor"]
		printf "wherry-init / floor: %.2f, budget 1.20%s\n", ratio, (ratio > 1.2 ? ": OVER" : ": within")
	}' "$SCRATCH/table"
}

# One case in a PID namespace of its own, and not for long: what an init doesn't do may end never.
try() {
	local name=$1 case=$2
	FLAVOR=$name INIT=$(path "$name") ONLY=$case LIMIT=5 timeout -k 1 20 unshare --mount --pid --fork --mount-proc \
		--kill-child "$TOP/tests/init/init.sh" >"$SCRATCH/$name.$case.tap" 2>/dev/null </dev/null || true
	if grep -q '^ok' "$SCRATCH/$name.$case.tap"; then touch "$SCRATCH/$name.$case"; fi
}

behaviour() {
	local name sentence case row count=0
	declare -A sum
	sed -n -E 's/^promise "(.*)" ([a-z0-9_]+)$/\2 \1/p' "$TOP/tests/init/init.sh" >"$SCRATCH/cases"
	while read -r case _; do
		for name in wherry-init tini dumb-init catatonit; do
			[ "$(jobs -rp | wc -l)" -lt 2 ] || wait -n
			try "$name" "$case" &
		done
	done <"$SCRATCH/cases"
	while [ "$(jobs -rp | wc -l)" -gt 0 ]; do wait -n; done
	printf '%-12s%-12s%-12s%-12s\n' wherry-init tini dumb-init catatonit
	while read -r case sentence; do
		row=
		count=$((count + 1))
		for name in wherry-init tini dumb-init catatonit; do
			if [ -e "$SCRATCH/$name.$case" ]; then
				row+='yes         '
				sum[$name]=$((${sum[$name]:-0} + 1))
			else
				row+='-           '
			fi
		done
		echo "$row$sentence"
	done <"$SCRATCH/cases"
	printf '%-12d%-12d%-12d%-12dof %d\n' "${sum[wherry-init]:-0}" "${sum[tini]:-0}" "${sum[dumb-init]:-0}" "${sum[catatonit]:-0}" "$count"
}

stop_all() {
	kill -9 "${running[@]}"
	wait "${running[@]}" 2>/dev/null || true
	running=()
}

figures
stop_all
echo
start_cost
echo
behaviour

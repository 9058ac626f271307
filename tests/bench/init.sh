#!/bin/bash
# The init beside those of Debian: size, memory, wake-ups, the cost of a start, and who does what of the
# behaviour table in tests/init.sh. Budgets: 10,240 bytes, 32 KiB resident, no wake-up, and a start that
# costs no more than 1.2 times what it costs under an init that only execs and waits.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
BUILD=$(realpath -m "${BUILD:-$TOP/build/$(uname -m)}")
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/wherry-bench.XXXXXX")
running=()
trap 'kill -9 "${running[@]}" 2>/dev/null || true; rm -rf "$SCRATCH"' EXIT
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
		printf "wherry-init / floor: %.2f, budget 1.20%s\n", ratio, (ratio > 1.2 ? ": OVER" : "")
	}' "$SCRATCH/table"
}

behaviour() {
	local name
	for name in wherry-init tini dumb-init catatonit; do
		FLAVOR=$name INIT=$(path "$name") "$TOP/tests/init.sh" >"$SCRATCH/$name.tap" 2>/dev/null </dev/null || true
		sed -n -E 's/^(not ok|ok) [0-9]+ - ([0-9]+: .*)/\1\t\2/p' "$SCRATCH/$name.tap" | sed 's/ # SKIP.*//' >"$SCRATCH/$name"
	done
	printf '%-12s%-12s%-12s%-12s\n' wherry-init tini dumb-init catatonit
	awk -F'\t' -v OFS='' 'FNR == 1 { file++ }
		{ mark[file, $2] = ($1 == "ok" ? "yes" : "-") }
		file == 1 { order[++n] = $2 }
		$1 == "ok" { sum[file]++ }
		END {
			for (i = 1; i <= n; i++) {
				for (f = 1; f <= 4; f++)
					printf "%-12s", ((f, order[i]) in mark ? mark[f, order[i]] : "-")
				print order[i]
			}
			printf "%-12d%-12d%-12d%-12dof %d\n", sum[1], sum[2], sum[3], sum[4], n
		}' "$SCRATCH"/{wherry-init,tini,dumb-init,catatonit}
}

figures
echo
start_cost
echo
behaviour

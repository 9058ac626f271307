#!/bin/bash
# Two hundred containers: what each costs beside its own program while it runs (PSS of the supervisor, which
# is wherry itself, and of the init, in KiB), that nothing wakes up meanwhile, that nothing grows with
# their number, and how long it takes to start them and to take them down. Budgets: 128 KiB alone, 64
# each where a hundred run, no wake-up; nothing left.
set -euo pipefail
. "$(dirname "$0")/begin.sh"
COUNT=${COUNT:-200}
ROUNDS=${ROUNDS:-50}
ID=many$$
supervisors=()

stop() {
	[ ${#supervisors[@]} -eq 0 ] || kill "${supervisors[@]}" 2>/dev/null || echo "some had ended" >&2
	wait
	supervisors=()
}
trap 'stop; crun_down; rm -rf --one-file-system "$SCRATCH"' EXIT

load five 5
make_root
PROGRAM='/bin/sleep 1000' bundle sleep "$ROOT" --limits --seccomp
mkfifo "$SCRATCH/up"
exec 7<>"$SCRATCH/up"

# start COUNT AT-A-TIME: up means that the program runs.
start() {
	local n=0 i
	while [ "$n" -lt "$1" ]; do
		for ((i = 0; i < $2 && n < $1; i++, n++)); do
			# shellcheck disable=SC2086
			$RUN $LIMITS --name "$ID-${#supervisors[@]}" five sh -c 'echo up; exec sleep 1000' >&7 7>&- &
			supervisors+=($!)
		done
		while [ "$i" -gt 0 ]; do
			read -r -t 20 -u 7 _
			i=$((i - 1))
		done
	done
}

crun_up() {
	local n=0
	while [ "$n" -lt "$1" ]; do
		for ((i = 0; i < $2 && n < $1; i++, n++)); do
			crun --root "$SCRATCH/crun" run --detach --bundle "$SCRATCH/sleep" "$ID-$n" </dev/null >/dev/null 7>&- &
		done
		wait
	done
}

crun_down() {
	local name
	for name in "$SCRATCH"/crun/*; do
		[ ! -e "$name" ] || crun --root "$SCRATCH/crun" delete --force "${name##*/}"
	done
}

inits() { for pid in "${supervisors[@]}"; do pgrep -P "$pid" -x wherry-init; done; }
# sum FILE KEY PID…: of a line of /proc/PID/FILE.
sum() {
	local file=$1 key=$2
	shift 2
	printf '%s\n' "$@" | sed "s|.*|/proc/&/$file|" | xargs cat | awk -v key="$key:" '$1 == key { sum += $2 } END { print sum + 0 }'
}
switches() { echo $(($(sum status voluntary_ctxt_switches "$@") + $(sum status nonvoluntary_ctxt_switches "$@"))); }
cgroups() { find /sys/fs/cgroup -maxdepth 3 -name "wherry-$ID-*" | wc -l; }
seconds() { awk -v from="$1" 'BEGIN { getline now <"/proc/uptime"; printf "%.2f", now - from }'; }
uptime() { cut -d ' ' -f 1 /proc/uptime; }

# What one costs where COUNT run; with a budget a verdict.
measure() {
	local outer inner dirty
	mapfile -t init < <(inits)
	sleep 1.5 # then the supervisor gives back what it has no use for
	outer=$(sum smaps_rollup Pss "${supervisors[@]}")
	inner=$(sum smaps_rollup Pss "${init[@]}")
	dirty=$(sum smaps_rollup Private_Dirty "${supervisors[@]}" "${init[@]}")
	printf '%3d running: supervisor %d + init %d KiB PSS each, %d private dirty, %d descriptors, %d files of state, ' "$1" \
		$((outer / $1)) $((inner / $1)) $((dirty / $1)) "$(find "/proc/${supervisors[-1]}/fd" -type l | wc -l)" \
		"$(find "$SCRATCH/state" -type f | wc -l)"
	echo "one more takes $("$BUILD/bench/pace" "$ROUNDS" launch "$RUN $LIMITS five true" | awk '/^launch/ { print $2 " ms, " $5 " of processors" }')"
	[ -z "${2:-}" ] || verdict "KiB PSS of supervisor and init, $1 running" $(((outer + inner) / $1)) "$2"
}

idle() {
	local before
	mapfile -t init < <(inits)
	before=$(switches "${supervisors[@]}" "${init[@]}")
	sleep 10
	verdict "wake-ups of $1 supervisors and inits in 10 s" $(($(switches "${supervisors[@]}" "${init[@]}") - before)) 0
}

echo "  0 running: one more takes $("$BUILD/bench/pace" "$ROUNDS" launch "$RUN $LIMITS five true" | awk '/^launch/ { print $2 " ms, " $5 " of processors" }')"
start 1 1
measure 1 128
start 99 2
measure 100 64
start $((COUNT - 100)) 2
measure "$COUNT"
idle "$COUNT"
stop
verdict "files of state and cgroups left" $(($(find "$SCRATCH/state" -type f | wc -l) + $(cgroups))) 0

# series NAME AT-A-TIME START STOP
series() {
	local begun up
	begun=$(uptime)
	$3 "$COUNT" "$2"
	up=$(seconds "$begun")
	begun=$(uptime)
	$4
	printf '%-8s %d at a time: %d started in %6s s, taken down in %6s s\n' "$1" "$2" "$COUNT" "$up" "$(seconds "$begun")"
}

echo
for at_a_time in 1 2; do
	series wherry "$at_a_time" start stop
	if type -P crun >/dev/null; then series crun "$at_a_time" crun_up crun_down; fi
done
echo "crun: on a plain directory, without an init; it leaves no supervisor."
verdict "files of state and cgroups left" $(($(find "$SCRATCH/state" -type f | wc -l) + $(cgroups))) 0

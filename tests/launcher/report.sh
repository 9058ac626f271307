#!/bin/bash
# --report: how a container ended, and what it used.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

# told KEY: its value in the report
told() { jq -c ".$1" "$SCRATCH/report"; }

# reported STATUS REASON SIGNAL OPTION…: a run ends so, and its report says so
reported() {
	local wanted=$1 reason=$2 signal=$3 status=0
	shift 3
	wherry run --report "$SCRATCH/report" "$@" >/dev/null 2>&1 || status=$?
	equal "$status" "$wanted"
	equal "$(told status)" "$wanted"
	equal "$(told reason)" "\"$reason\""
	equal "$(told signal)" "$signal"
}

reasons() {
	reported 0 exited null --name "m$ID" busybox true
	equal "$(told name)" "\"m$ID\""
	equal "$(told error)" null
	reported 7 exited null busybox sh -c 'exit 7'
	reported 143 signal 15 busybox sh -c 'kill -TERM $$'
	reported 3 exited null --no-init busybox sh -c 'exit 3'
	reported 127 "not run" null busybox /none
	equal "$(told error)" '"run /none: No such file or directory"'
	equal "$(told cpu_us | grep -c '^[0-9]')" 1
	reported 126 "not run" null busybox /etc/passwd
	reported 125 failed null --device-cgroup-rule 'c 1:3 r' --tmpfs /srv:nonsense busybox true
	contains "$(told error)" "--tmpfs"
	equal "$(told largest_process_bytes)" null
	# what fails before there is a container, too: no report of an earlier run stays in its place
	reported 125 failed null --name "m$ID" --cap-add NONSENSE busybox true
	equal "$(told error)" '"--cap-add: there is no capability NONSENSE"'
	equal "$(told name)" "\"m$ID\""
	reported 125 failed null nosuchimage true
	contains "$(told error)" "there is no image 'nosuchimage'"
	equal "$(told name)" null
	reported 125 failed null --name "m$ID" --cidfile "$SCRATCH/report" busybox true
	contains "$(told error)" "--cidfile"
}

limits_reported() {
	local status=0
	reported 137 oom 9 -m 32M --memory-swap 32M busybox tool -mb 100
	equal "$(told oom_kills)" 1
	equal "$(told memory_peak_bytes)" 33554432
	reported 137 pids 9 --pids-limit 10 busybox tool -fork 50
	[ "$(told pids_denied)" -ge 1 ]
	wherry run --report "$SCRATCH/report" --cpus 0.1 busybox timeout -s KILL 1 sh -c 'while :; do :; done' || status=$?
	equal "$status" 137
	[ "$(told throttled_us)" -gt 300000 ]
}

used() {
	reported 0 exited null busybox sh -c 'n=0; while [ $n -lt 100000 ]; do n=$((n+1)); done; sleep 0.3'
	[ "$(told wall_us)" -gt 300000 ] && [ "$(told wall_us)" -lt 30000000 ]
	[ "$(told cpu_us)" -gt 1000 ] && [ "$(told cpu_us)" -lt "$(told wall_us)" ]
	[ "$(told cpu_user_us)" -le "$(told cpu_us)" ]
	reported 0 exited null busybox tool -mb 20
	[ "$(told largest_process_bytes)" -gt 20000000 ] && [ "$(told largest_process_bytes)" -lt 40000000 ]
	# /tmp is often a tmpfs, which writes nothing; what is built lies on a disk
	local written
	written=$(mktemp -d "$BUILD/written.XXXXXX")
	reported 0 exited null -v "$written:/written" busybox dd if=/dev/zero of=/written/file bs=64k count=32 conv=fsync
	rm -r "$written"
	[ "$(told written_bytes)" -ge 2097152 ] && [ "$(told written_bytes)" -lt 20000000 ]
}

unknown() {
	reported 0 exited null --privileged busybox true
	equal "$(jq -c '[.throttled_us, .memory_peak_bytes, .oom_kills, .pids_denied]' "$SCRATCH/report")" '[null,null,null,null]'
}

nowhere() {
	fails_with 125 "--report $SCRATCH/none/report" wherry run --report "$SCRATCH/none/report" busybox echo never
	rm -f "$SCRATCH/link"
	equal "$(wherry run --report /dev/stdout busybox true | jq .status)" 0
}

# CONTROLLER SENTENCE FUNCTION
with() {
	if limits_here "$1"; then it "$2" "$3"; else skip "$2" "this machine has no $1 controller"; fi
}

it "--report tells how it ended" reasons
with memory "--report tells which limit ended it" limits_reported
it "--report tells what was used" used
it "--report says null where nobody knows" unknown
it "--report wants to be able to write before anything runs" nowhere
finish_clean

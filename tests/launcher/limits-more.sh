#!/bin/bash
# The rest of the limits, and the report. What needs cgroup v2 or a disk of its own is in tests/vm/limits.sh.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

disk=$(lsblk -dnpo NAME,TYPE 2>/dev/null | awk '$2 == "disk" || $2 == "loop" { print $1; exit }')
number=$([ -z "$disk" ] || echo "$((0x$(stat -c %t "$disk"))):$((0x$(stat -c %T "$disk")))")

# value NAME CONTROLLER V1-FILE V2-FILE: what is in the container's file, on one line
value() { paste -sd ' ' "$(cgroup_file "$@")"; }

# on_v2 CONTROLLER: that is where this machine has it
on_v2() { ! cgroup_mounts | grep -q "^[^ ]*\b$1\b.* " || [ -e /sys/fs/cgroup/cgroup.controllers ]; }

# with_running OPTION… -- CHECK…: the check runs while a container with the options does
with_running() {
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	start running --name "m$ID" "${options[@]}" busybox sh -c 'echo up; exec tool -hang'
	"$@"
	kill "$started"
	ends "$started" 143
}

check_memory() {
	equal "$(value "m$ID" memory memory.soft_limit_in_bytes memory.low)" 33554432
}
memory() {
	with_running -m 64M --memory-reservation 32M -- check_memory
	fails_with 125 "--memory-reservation is more than --memory" wherry run -m 32M --memory-reservation 64M busybox true
	fails_with 125 "--memory-high is more than --memory" wherry run -m 32M --memory-high 64M busybox true
}

# limit_of SIZE: the bytes that --memory SIZE comes to
limit_of() { with_running -m "$1" -- value "m$ID" memory memory.limit_in_bytes memory.max; }

# As docker reads them (go-units).
sizes() {
	local word
	for word in 67108864 67108864b 65536k 65536KB 64m 64M 64mb 64MiB "64 m" 0.0625g .0625G; do
		if [ "${word#.}" != "$word" ]; then word=0$word; fi
		equal "$(limit_of "$word")" 67108864
	done
	equal "$(limit_of 64.5m)" 67633152
	for word in 64x 64mx 64bb 64kibi 64ib -64m 1e9 0x10m 64.5.5m .m m "" "64  m" 8388608t 99999999999999999999; do
		fails_with 125 "--memory: '$word' is not a size" wherry run -m "$word" busybox true
	done
}

# docker-run(1): 0 is no limit, wherever a limit is a number.
none_limits() {
	local option
	for option in memory memory-swap memory-reservation memory-high cpus cpu-quota cpu-period cpu-shares pids-limit \
		blkio-weight shm-size; do
		wherry run --report "$SCRATCH/report" "--$option" 0 busybox true
		equal "$(jq -c '[.throttled_us, .memory_peak_bytes, .pids_denied]' "$SCRATCH/report")" '[null,null,null]'
	done
	wherry run --memory-swap -1 --memory-swappiness -1 busybox true
	fails_with 125 "--memory-swap wants --memory" wherry run --memory-swap 64m busybox true
	fails_with 125 "--memory-swap is memory and swap together" wherry run -m 64m --memory-swap 63m busybox true
	fails_with 125 "--pids-limit: 4194305 is out of range" wherry run --pids-limit 4194305 busybox true
	fails_with 125 "--cpus: '0.009' is not a number" wherry run --cpus 0.009 busybox true
}

check_swappiness() { equal "$(value "m$ID" memory memory.swappiness memory.max)" 0; }
one_dialect() {
	if on_v2 memory; then
		fails_with 125 "--memory-swappiness: the memory controller is in cgroup v2" wherry run --memory-swappiness 0 busybox true
	else
		with_running --memory-swappiness 0 -- check_swappiness
		fails_with 125 "--memory-high: the memory controller is in cgroup v1" wherry run --memory-high 32M busybox true
	fi
	fails_with 125 "--memory-swappiness" wherry run --memory-swappiness 101 busybox true
}

check_quota() {
	if on_v2 cpu; then
		equal "$(value "m$ID" cpu none cpu.max)" "25000 50000"
		equal "$(value "m$ID" cpu none cpu.weight)" 59
	else
		equal "$(value "m$ID" cpu cpu.cfs_quota_us none)" 25000
		equal "$(value "m$ID" cpu cpu.cfs_period_us none)" 50000
		equal "$(value "m$ID" cpu cpu.shares none)" 512
	fi
}
cpu() {
	with_running --cpu-quota 25000 --cpu-period 50000 --cpu-shares 512 -- check_quota
	fails_with 125 "--cpus is a quota and a period" wherry run --cpus 1 --cpu-quota 50000 busybox true
	fails_with 125 "--cpu-shares: 1 is out of range" wherry run --cpu-shares 1 busybox true
	fails_with 125 "--cpu-period: 999 is out of range" wherry run --cpu-period 999 busybox true
	fails_with 125 "--cpu-quota: 999 is out of range" wherry run --cpu-quota 999 busybox true
}

cpuset() {
	local last
	last=$(grep -oE '[0-9]+$' /sys/devices/system/cpu/online)
	equal "$(wherry run --cpuset-cpus "$last" busybox grep Cpus_allowed_list /proc/self/status)" "Cpus_allowed_list:"$'\t'"$last"
	equal "$(wherry run --cpuset-mems 0 busybox grep Cpus_allowed_list /proc/self/status)" "$(grep Cpus_allowed_list /proc/self/status)"
	fails_with 125 "--cpuset-cpus" wherry run --cpuset-cpus $((last + 1)) busybox true
	fails_with 125 "--cpuset-mems" wherry run --cpuset-mems 99 busybox true
	fails_with 125 "--cpuset-cpus: 'all' is not a list of numbers" wherry run --cpuset-cpus all busybox true
}

check_rates() {
	if on_v2 blkio; then
		equal "$(value "m$ID" blkio none io.max)" "$number rbps=1048576 wbps=2097152 riops=100 wiops=200"
	else
		equal "$(value "m$ID" blkio blkio.throttle.read_bps_device none)" "$number 1048576"
		equal "$(value "m$ID" blkio blkio.throttle.write_bps_device none)" "$number 2097152"
		equal "$(value "m$ID" blkio blkio.throttle.read_iops_device none)" "$number 100"
		equal "$(value "m$ID" blkio blkio.throttle.write_iops_device none)" "$number 200"
	fi
}
rates() {
	with_running --device-read-bps "$disk:1mb" --device-write-bps "$disk:2m" --device-read-iops "$disk:100" \
		--device-write-iops "$disk:200" -- check_rates
}

rates_refused() {
	local word
	for word in /dev/null:1m /none:1m /dev/loop0 /dev/loop0: :1m /dev/loop0:0 /dev/loop0:x; do
		fails_with 125 "--device-read-bps" wherry run --device-read-bps "$word" busybox true
		fails_with 125 "--device-write-iops" wherry run --device-write-iops "$word" busybox true
	done
}

weight() {
	if grep -q '\[bfq\]' /sys/block/*/queue/scheduler; then
		wherry run --blkio-weight 50 busybox true
	else
		fails_with 125 "--blkio-weight: no disk has a scheduler that heeds weights" wherry run --blkio-weight 50 busybox true
	fi
	fails_with 125 "--blkio-weight: 5 is out of range" wherry run --blkio-weight 5 busybox true
}

out_of_processes() {
	fails_with 137 "wherry: out of processes: the container reached its limit of 10" wherry run --pids-limit 10 busybox tool -fork 50
	# what went on and succeeded has not failed for it
	equal "$(wherry run --pids-limit 10 busybox sh -c 'setsid tool -fork 50 >/dev/null 2>&1; exit 0' 2>&1)" ""
}

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

with memory "--memory-reservation sets its file, and fits below --memory" memory
with memory "takes sizes as docker does" sizes
it "takes 0 for no limit" none_limits
with memory "says which limit this dialect of cgroups has not" one_dialect
with cpu "--cpu-quota, --cpu-period and --cpu-shares set their files" cpu
with cpuset "--cpuset-cpus and --cpuset-mems keep to what there is" cpuset
if [ -n "$disk" ]; then
	with blkio "limits a disk's rates" rates
else
	skip "limits a disk's rates" "this machine has no disk"
fi
it "refuses rates of what is no disk" rates_refused
it "--blkio-weight says whether a disk heeds it" weight
with pids "says that the limit on processes was reached, if the program failed" out_of_processes
it "--report tells how it ended" reasons
with memory "--report tells which limit ended it" limits_reported
it "--report tells what was used" used
it "--report says null where nobody knows" unknown
it "--report wants to be able to write before anything runs" nowhere
finish_clean

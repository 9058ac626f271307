#!/bin/bash
# Memory, swap, processor time, processes, rates of disks. What needs cgroup v2 or a disk of its own is in
# tests/vm/limits.sh.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

OOM='wherry: out of memory: the container reached its limit of 64 MiB'

swap_here() {
	local controllers path
	while read -r controllers path; do
		[[ ,$controllers, != *,memory,* ]] || [ ! -e "$path/memory.memsw.limit_in_bytes" ] || return 0
		[ "$controllers" != unified ] || ! ls "$path"/*/memory.swap.max >/dev/null 2>&1 || return 0
	done < <(cgroup_mounts)
	return 1
}

memory() {
	start memory -m 64M --name "m$ID" busybox sh -c 'echo up; exec tool -hang'
	equal "$(cat "$(cgroup_file "m$ID" memory memory.limit_in_bytes memory.max)")" 67108864
	kill "$started"
	ends "$started" 143
}

sizes() {
	local given wanted
	while read -r given wanted; do
		start size -m "$given" --name "m$ID" busybox sh -c 'echo up; exec tool -hang'
		equal "$(cat "$(cgroup_file "m$ID" memory memory.limit_in_bytes memory.max)")" "$wanted"
		kill "$started"
		ends "$started" 143
	done <<-END
	33554432 33554432
	32768k 33554432
	32m 33554432
	1G 1073741824
	END
	for given in x 1X -5 '' 99999999999999999999; do
		fails_with 125 "--memory" wherry run -m "$given" busybox true
	done
}

out_of_memory() {
	fails_with 137 "$OOM" wherry run -m 64M busybox tool -mb 200
	equal "$(wherry run -m 64M busybox tool -mb 20)" "allocated 20 MiB"
}

only_then() {
	local said=$SCRATCH/killed status=0
	wherry run -m 64M busybox sh -c 'kill -9 $$' 2>"$said" || status=$?
	equal "$status" 137
	lacks "$(cat "$said")" "out of memory"
	# A child of the program was killed for memory, and the program went on: it's the program's own status.
	status=0
	wherry run -m 64M busybox sh -c 'tool -mb 200; exit 5' 2>"$said" || status=$?
	equal "$status" 5
}

files_count() {
	# What is written to the layer in RAM is the container's memory.
	fails_with 137 "$OOM" wherry run -m 64M --overlay ram,size=300M busybox \
		dd if=/dev/zero of=/big bs=1M count=200
}

swap() {
	start swap -m 64M --memory-swap 96M --name "m$ID" busybox sh -c 'echo up; exec tool -hang'
	local file
	file=$(cgroup_file "m$ID" memory memory.memsw.limit_in_bytes memory.swap.max)
	case $file in
	*memsw*) equal "$(cat "$file")" 100663296 ;;
	*) equal "$(cat "$file")" 33554432 ;;
	esac
	kill "$started"
	ends "$started" 143
}

swap_refused() {
	fails_with 125 "--memory-swap" wherry run --memory-swap 64M busybox true
	fails_with 125 "--memory-swap" wherry run -m 64M --memory-swap 32M busybox true
}

cpus() {
	start cpu --cpus 0.2 --name "m$ID" busybox sh -c 'echo up; while :; do :; done'
	local file quota
	file=$(cgroup_file "m$ID" cpu cpu.cfs_quota_us cpu.max)
	read -r quota _ <"$file"
	equal "$quota" 20000
	throttled() { [ "$(awk '$1 == "nr_throttled" { print $2 }' "$(dirname "$file")/cpu.stat")" -gt 2 ]; }
	eventually throttled
	kill -KILL "$started"
	ends "$started" 137
	# removed by the next command
	wherry run busybox true
}

cpus_refused() {
	local given
	for given in 0.001 x -1 nan 1e9; do
		fails_with 125 "--cpus" wherry run --cpus "$given" busybox true
	done
}

pids() {
	local seen
	seen=$(wherry run --pids-limit 10 busybox tool -fork 50 || [ $? -eq 137 ])
	contains "$seen" "Resource temporarily unavailable"
	[ "$(sed 's/children \([0-9]*\).*/\1/' <<<"$seen")" -lt 10 ]
	contains "$(wherry run --pids-limit 100 busybox tool -fork 50 || [ $? -eq 137 ])" "children 50"
	fails_with 125 "--pids-limit" wherry run --pids-limit -2 busybox true
	fails_with 125 "--pids-limit" wherry run --pids-limit many busybox true
}

together() {
	start all -m 64M --cpus 1.5 --pids-limit 20 --name "m$ID" busybox sh -c 'echo up; exec tool -hang'
	equal "$(cat "$(cgroup_file "m$ID" memory memory.limit_in_bytes memory.max)")" 67108864
	equal "$(cut -d ' ' -f 1 "$(cgroup_file "m$ID" cpu cpu.cfs_quota_us cpu.max)")" 150000
	equal "$(cat "$(cgroup_file "m$ID" pids pids.max pids.max)")" 20
	# every process of the container is in each of them, the init included
	local init tool file
	init=$(inside "$started" wherry-init)
	tool=$(inside "$started" tool)
	for file in "$(cgroup_file "m$ID" memory cgroup.procs cgroup.procs)" "$(cgroup_file "m$ID" pids cgroup.procs cgroup.procs)"; do
		equal "$(sort -n "$file" | paste -sd ' ')" "$(printf '%s\n' "$init" "$tool" | sort -n | paste -sd ' ')"
	done
	kill "$started"
	ends "$started" 143
}

# Only its devices, which are limited unless it is privileged.
none() {
	start none --privileged --name "m$ID" busybox sh -c 'echo up; exec tool -hang'
	equal "$(host_cgroups | grep "wherry-m$ID" || true)" ""
	kill "$started"
	ends "$started" 143
	start none --name "m$ID" busybox sh -c 'echo up; exec tool -hang'
	[ "$(host_cgroups | grep -c "wherry-m$ID" || true)" -le 1 ]
	kill "$started"
	ends "$started" 143
}

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

check_reservation() {
	equal "$(value "m$ID" memory memory.soft_limit_in_bytes memory.low)" 33554432
}
reservation() {
	with_running -m 64M --memory-reservation 32M -- check_reservation
	fails_with 125 "--memory-reservation is more than --memory" wherry run -m 32M --memory-reservation 64M busybox true
	fails_with 125 "--memory-high is more than --memory" wherry run -m 32M --memory-high 64M busybox true
}

# limit_of SIZE: the bytes that --memory SIZE comes to
limit_of() { with_running -m "$1" -- value "m$ID" memory memory.limit_in_bytes memory.max; }

# As docker reads them (go-units).
every_size() {
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

# CONTROLLER SENTENCE FUNCTION
with() {
	if limits_here "$1"; then
		it "$2" "$3"
	else
		skip "$2" "this machine has no $1 controller"
	fi
}

with memory "-m limits memory" memory
with memory "-m takes docker's sizes, and refuses what is none" sizes
with memory "says that the container ran out of memory, and exits 137" out_of_memory
with memory "says so only if that ended the program" only_then
with memory "counts what is written to RAM" files_count
if swap_here; then
	it "--memory-swap limits memory and swap together" swap
else
	skip "--memory-swap limits memory and swap together" "this kernel does not account swap"
fi
it "--memory-swap is refused where it says nothing" swap_refused
with cpu "--cpus throttles" cpus
it "--cpus refuses what is no number of processors" cpus_refused
with pids "--pids-limit limits processes" pids
with memory "applies several at once, to every process" together
it "makes no cgroup where nothing is limited" none
with memory "--memory-reservation sets its file, and fits below --memory" reservation
with memory "takes sizes as docker does" every_size
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
finish_clean

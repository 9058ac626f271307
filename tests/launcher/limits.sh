#!/bin/bash
# Memory, swap, processor time and processes.
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
finish_clean

#!/bin/bash
# What one does by hand with unshare, pivot_root and echo to understand containers, done by wherry.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox layered

sees_itself_alone() {
	equal "$(wherry run busybox ps -o pid,comm | tr -s ' ' | sed 's/^ //;s/ $//' | paste -sd '|')" \
		"PID COMMAND|1 wherry-init|2 ps"
}

from_outside() {
	start boat --hostname boat busybox sh -c 'echo $$; exec tool -hang'
	local pid
	pid=$(inside "$started" tool)
	equal "$(cat "$SCRATCH/boat")" 2
	[ "$pid" -ne 2 ]
	equal "$(awk '/^NSpid/ { print $NF }' "/proc/$pid/status")" 2
	# its root, its mounts and its host name are its own
	equal "$(cat "/proc/$pid/root/etc/motd")" "made in a layer"
	[ "$(readlink "/proc/$pid/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
	equal "$(awk '$2 == "/" { print $3 }' "/proc/$pid/mounts")" overlay
	equal "$(nsenter -t "$pid" -u hostname)" boat
	[ "$(hostname)" != boat ]
	kill "$started"
	ends "$started" 143
}

# Its parent lives on, so that there is time to look at the counter.
killed_for_memory() {
	start greedy --name "g$ID" -m 64M busybox sh -c 'tool -mb 200; echo "status $?"; exec tool -hang'
	equal "$(cat "$SCRATCH/greedy")" "$(printf 'Killed\nstatus 137')"
	local file
	file=$(cgroup_file "g$ID" memory memory.oom_control memory.events)
	equal "$(awk '$1 == "oom_kill" { print $2 }' "$file")" 1
	kill "$started"
	ends "$started" 143
}

written_inside() {
	equal "$(wherry run busybox sh -c 'echo inside >/srv/inside; cat /srv/inside')" inside
	equal "$(find "$STORE" -name inside)" ""
	equal "$(wherry run busybox ls /srv)" message
}

upper_wins() {
	equal "$(wherry run layered cat /a/over)" two
	equal "$(wherry run layered sh -c 'echo three >/a/over; cat /a/over')" three
	equal "$(find "$STORE/layers" -path '*/a/over' -exec cat {} + | sort)" $'one\ntwo'
}

deleted_inside() {
	equal "$(wherry run layered sh -c 'rm /etc/motd; ls /etc')" $'group\nhostname\nhosts\npasswd\nresolv.conf'
	equal "$(wherry run layered cat /etc/motd)" "made in a layer"
}

it "sees only itself, and PID 1 is init" sees_itself_alone
it "has another PID outside, and a root, mounts and a host name of its own" from_outside
if limits_here memory; then
	it "is killed when it allocates 200 MB under 64 MiB, and its cgroup counted it" killed_for_memory
else
	skip "is killed when it allocates 200 MB under 64 MiB, and its cgroup counted it" "no memory controller"
fi
it "writes a file that is absent from the layer and from the next run" written_inside
it "sees upper over lower" upper_wins
it "deletes a lower file inside only" deleted_inside
finish_clean

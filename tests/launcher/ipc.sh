#!/bin/bash
# --ipc: whose shared memory, semaphores and message queues a container sees.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

# ipc_of OPTION…: its namespace, and whether there is a /dev/shm and a /dev/mqueue.
ipc_of() {
	wherry run "$@" busybox sh -c 'readlink /proc/self/ns/ipc; ls -d /dev/shm /dev/mqueue 2>/dev/null || [ $? -eq 1 ]'
}

BOTH=$'\n/dev/mqueue\n/dev/shm'
MQUEUE=$BOTH
[ -e /dev/mqueue ] || MQUEUE=$'\n/dev/shm'

kinds() {
	local host own option
	host=$(readlink /proc/self/ns/ipc)
	equal "$(ipc_of --ipc host)" "$host$MQUEUE"
	for option in private shareable; do
		own=$(ipc_of --ipc "$option")
		lacks "$own" "$host"
		equal "${own#*]}" "$BOTH"
	done
	own=$(ipc_of --ipc none)
	lacks "$own" "$host"
	equal "${own#*]}" $'\n/dev/mqueue'
}

refusals() {
	local word
	for word in '' other container Host; do
		fails_with 125 "--ipc: '$word' is not private, shareable, none, host or container:NAME" \
			wherry run --ipc "$word" busybox true
	done
	for word in none host container:x; do
		fails_with 125 "--shm-size and --ipc $word exclude each other" \
			wherry run --ipc "$word" --shm-size 1M busybox true
	done
	for word in '' ../store "$ID-none" .; do
		fails_with 125 "--ipc container:$word: no container of that name runs" \
			wherry run --ipc "container:$word" busybox true
	done
	for word in host container:x; do
		fails_with 125 "kernel.msgmax is not the container's own" \
			wherry run --ipc "$word" --sysctl kernel.msgmax=4567 busybox true
	done
	wherry run --ipc shareable --sysctl kernel.msgmax=4567 busybox true
}

# donor OPTION…: a container that shares, under $ID, with a file in its /dev/shm and one of each kind of IPC.
donor() {
	start donor --name "$ID" --ipc shareable "$@" busybox sh -c \
		'readlink /proc/self/ns/ipc >/dev/shm/ns; chmod 666 /dev/shm/ns; echo up; exec tool -hang'
}

donor_ends() {
	kill "$started"
	ends "$started" 143
}

# joins OPTION…: another container sees the donor's, and the donor what that one writes.
joins() {
	equal "$(wherry run --ipc "container:$ID" "$@" busybox sh -c \
		'readlink /proc/self/ns/ipc; cat /dev/shm/ns; grep -c " /dev/shm \| /dev/mqueue " /proc/mounts; echo back >/dev/shm/back')" \
		"$ns"$'\n'"$ns"$'\n2'
	equal "$(cat "/proc/$(inside "$started" tool)/root/dev/shm/back")" back
}

shares() {
	local ns chained
	donor
	ns=$(readlink "/proc/$(inside "$started" tool)/ns/ipc")
	[ "$ns" != "$(readlink /proc/self/ns/ipc)" ]
	joins
	joins --read-only
	joins --no-init
	# the third by way of the second, which has them from the first
	"$WHERRY" --root "$STORE" --state "$STATE" run --name "$ID-2" --ipc "container:$ID" busybox \
		sh -c 'echo up; exec tool -hang' >"$SCRATCH/second" 2>&1 </dev/null &
	chained=$!
	eventually grep -q up "$SCRATCH/second"
	equal "$(wherry run --ipc "container:$ID-2" busybox cat /dev/shm/ns)" "$ns"
	kill "$chained"
	ends "$chained" 143
	donor_ends
	fails_with 125 "no container of that name runs" wherry run --ipc "container:$ID" busybox true
}

# ipcs would need a program of its own: /proc/sysvipc shows the namespace of who reads it.
own_objects() {
	local queue
	donor
	queue=$(ipcmk -Q | sed 's/[^0-9]//g')
	equal "$(wherry run --ipc "container:$ID" busybox sh -c 'wc -l </proc/sysvipc/msg')" 1
	equal "$(wherry run --ipc host busybox awk "\$2 == $queue" /proc/sysvipc/msg | wc -l)" 1
	ipcrm -q "$queue"
	nsenter --ipc="/proc/$(inside "$started" tool)/ns/ipc" ipcmk -Q
	equal "$(wherry run --ipc "container:$ID" busybox sh -c 'wc -l </proc/sysvipc/msg')" 2
	donor_ends
}

keeps_to_itself() {
	local how
	for how in "" "--ipc private" "--ipc none" "--ipc host"; do
		# shellcheck disable=SC2086
		start private --name "$ID" $how busybox sh -c 'echo up; exec tool -hang'
		fails_with 125 "--ipc container:$ID: its IPC is not for others" wherry run --ipc "container:$ID" busybox true
		donor_ends
	done
}

# What a killed supervisor has left still names its init's number, which may be anybody's by now.
stale() {
	donor
	kill -KILL "$started"
	ends "$started" 137
	grep -q '^ipc [0-9]' "$STATE/$ID"
	sed -i "s/^ipc .*/ipc $$ 0/" "$STATE/$ID"
	fails_with 125 "--ipc container:$ID: it has ended" wherry run --ipc "container:$ID" busybox true
	wherry run busybox true
	equal "$(ls -A "$STATE")" ""
	# one that has reaped its init, but not yet given back its name
	donor
	sed -i "s/^ipc /was /" "$STATE/$ID"
	fails_with 125 "its IPC is not for others" wherry run --ipc "container:$ID" busybox true
	donor_ends
}

# Its init's end is seen, and said, before the number is free.
retracts() {
	local unshared reaped
	strace -o "$SCRATCH/trace" -e trace=pwrite64,wait4 "$WHERRY" --root "$STORE" --state "$STATE" run \
		--ipc shareable busybox true
	unshared=$(grep -n '"was"' "$SCRATCH/trace" | cut -d : -f 1)
	reaped=$(grep -n '^wait4' "$SCRATCH/trace" | tail -n 1 | cut -d : -f 1)
	[ "$unshared" -lt "$reaped" ]
}

# The other container's own links and mounts do not lead out of it: what it shows is its own, or nothing.
hostile() {
	start hostile --name "$ID" --ipc shareable --privileged busybox sh -c \
		'umount /dev/shm && rmdir /dev/shm && ln -s /proc/1/root/etc /dev/shm; echo up; exec tool -hang'
	lacks "$(wherry run --ipc "container:$ID" busybox ls /dev/shm 2>&1 || true)" hostname
	donor_ends
}

users() {
	local ns name=wherry-ipc-${SCRATCH##*.}
	echo "$name:2100000000:65536" >>/etc/subuid
	echo "$name:2100000000:65536" >>/etc/subgid
	# shellcheck disable=SC2064
	trap "sed -i '/^$name:/d' /etc/subuid /etc/subgid" EXIT
	donor --userns "$name"
	ns=$(readlink "/proc/$(inside "$started" tool)/ns/ipc")
	joins --userns "$name"
	# whose ids its /dev/shm does not know
	fails_with 125 "--ipc container:$ID: its user namespace has other ids" wherry run --ipc "container:$ID" busybox true
	donor_ends
	donor
	ns=$(readlink "/proc/$(inside "$started" tool)/ns/ipc")
	joins --userns "$name"
	donor_ends
}

without_root() {
	donor
	fails_with 125 "--ipc container:$ID: enter its namespaces: Operation not permitted" \
		unshare -r "$WHERRY" --root "$STORE" --state "$STATE" run --ipc "container:$ID" busybox true
	donor_ends
}

it "gives a container its own, one without /dev/shm, or the host's" kinds
it "refuses what is none of these, and what would be another's" refusals
# A hostile one that may mount: its /proc, with all that is writable there, is not taken for shared memory.
hostile_mounts() {
	start mounts --name "$ID" --ipc shareable --cap-add SYS_ADMIN --security-opt seccomp=unconfined busybox sh -c \
		'umount /dev/shm; mount --bind /proc /dev/shm && echo up; exec sleep 60'
	equal "$(cat "$SCRATCH/mounts")" up
	fails_with 125 "--ipc container:$ID: its /dev/shm is something else" wherry run --ipc "container:$ID" busybox true
	kill "$started"
	ends "$started" 143
}

it "--ipc container: shows the other's namespace, /dev/shm and /dev/mqueue" shares
it "has the objects of its own namespace" own_objects
it "keeps to itself what is not shareable" keeps_to_itself
it "joins nothing by a number that may be another process's" stale
it "shares no more before its init is reaped" retracts
it "is not led out by the other's /dev/shm" hostile
it "is shared across user namespaces" users
it "says why an ordinary user's containers cannot share" without_root
it "--ipc container: takes no /proc for shared memory" hostile_mounts
finish_clean

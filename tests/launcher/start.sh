#!/bin/bash
# A start that takes long, or for ever: a signal ends it, and nothing stays.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

# Ids for --userns, another's than any other test's.
MAPPED=wherry-start-$ID
trap 'sed -i "/^$MAPPED:/d" /etc/subuid /etc/subgid; scratch_remove' EXIT
for file in /etc/subuid /etc/subgid; do echo "$MAPPED:$((1300000000 + $$ % 1000 * 65536)):65536" >>"$file"; done

# A file system whose server never answers, as a dead NFS server's: each access waits, and can only be killed.
dead_file_system() {
	mkdir -p "$SCRATCH/dead"
	exec 8<>/dev/fuse
	mount -t fuse -o fd=8,rootmode=40000,user_id=0,group_id=0 dead "$SCRATCH/dead"
	trap revive EXIT
}

# What waits is answered with an error.
revive() {
	exec 8>&-
	umount -l "$SCRATCH/dead"
}

has_child() { pgrep -P "$1" >/dev/null; }

# ends_by SIGNAL STATUS OPTION…: in the stage where the options hold it.
ends_by() {
	local signal=$1 status=$2 pid
	shift 2
	env --default-signal=INT,QUIT "$WHERRY" --root "$STORE" --state "$STATE" run --name "$ID" "$@" busybox true 8>&- >"$SCRATCH/out" 2>&1 &
	pid=$!
	sleep 1
	kill -0 "$pid"
	kill -"$signal" "$pid"
	timeout 20 tail -s 0.05 -f --pid="$pid" /dev/null
	ends "$pid" "$status"
	equal "$(ls -A "$STATE")" ""
	equal "$(host_cgroups | grep -c "$ID" || :)" 0
}

dead_source() {
	local signal
	dead_file_system
	for signal in TERM INT HUP QUIT; do
		ends_by "$signal" "$((128 + $(kill -l "$signal")))" -v "$SCRATCH/dead/below:/data"
	done
	contains "$(cat "$SCRATCH/out")" "ended by signal 3 before the program ran"
}

dead_source_mapped() {
	dead_file_system
	ends_by TERM 143 --userns "$MAPPED" -v "$SCRATCH/dead/below:/data"
}

# In every stage of it: the child is stopped as soon as it is there, again and again a little later.
stopped_child() {
	local pid delay options
	for options in '' "--userns $MAPPED" '-t'; do
		for delay in 0 0.002 0.004 0.008; do
			# shellcheck disable=SC2086
			"$WHERRY" --root "$STORE" --state "$STATE" run --name "$ID" $options busybox sleep 60 >"$SCRATCH/out" 2>&1 &
			pid=$!
			until has_child "$pid" || ! kill -0 "$pid" 2>/dev/null; do :; done
			sleep "$delay"
			pkill -STOP -P "$pid" || :
			kill -TERM "$pid"
			# where it was the init already, that has to hear of it
			sleep 0.2
			pkill -CONT -P "$pid" || :
			timeout 20 tail -s 0.05 -f --pid="$pid" /dev/null
			ends "$pid" 143
			equal "$(ls -A "$STATE")" ""
		done
	done
}

# nohup(1) and a shell's background jobs have it ignored: it is the program's to hear.
ignored() {
	local pid
	dead_file_system
	env --ignore-signal=HUP "$WHERRY" --root "$STORE" --state "$STATE" run --name "$ID" -v "$SCRATCH/dead/below:/data" \
		busybox true 8>&- >"$SCRATCH/out" 2>&1 &
	pid=$!
	sleep 1
	kill -HUP "$pid"
	sleep 1
	kill -0 "$pid"
	kill -TERM "$pid"
	ends "$pid" 143
}

if [ -c /dev/fuse ]; then
	it "is ended by a signal while it waits for a dead file system" dead_source
	it "is ended by a signal then with --userns too" dead_source_mapped
	it "is not ended by a signal that is ignored" ignored
else
	skip "is ended by a signal while it waits for a dead file system" "no FUSE here"
fi
it "is ended by a signal whenever its child is stuck" stopped_child
finish_clean

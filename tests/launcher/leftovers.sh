#!/bin/bash
# However a run ends, nothing of it stays, or the next command removes it.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

LIMITS=()
if limits_here memory; then LIMITS=(-m 64M --pids-limit 50 --cpus 1); fi

gone() { ! kill -0 "$@" 2>/dev/null; }
state_is_empty() { [ -z "$(ls -A "$STATE" 2>/dev/null)" ]; }
nothing_is_left() { state_is_empty && equal "$(host_cgroups | grep "wherry-k$ID" || true)" ""; }

ordinary() {
	wherry run "${LIMITS[@]}" --name "k$ID" busybox true
	nothing_is_left
	wherry run "${LIMITS[@]}" --name "k$ID" busybox false || [ $? -eq 1 ]
	nothing_is_left
	wherry run "${LIMITS[@]}" --name "k$ID" busybox /no/such/thing || [ $? -eq 127 ]
	nothing_is_left
	wherry run "${LIMITS[@]}" --name "k$ID" -v "$SCRATCH:/x:nonsense" busybox true || [ $? -eq 125 ]
	nothing_is_left
}

# The usual places, empty here, are left alone where others are named.
other_places() {
	equal "$(unshare --mount sh -ec 'mount -t tmpfs run /run; mount -t tmpfs lib /var/lib; "$@"; ls -d /run/w* /var/lib/w* || echo none' - \
		"$WHERRY" --root "$STORE" --state "$STATE" run busybox true 2>/dev/null)" none
}

# fails late, inside
failing_mount() {
	fails_with 125 "/t" wherry run "${LIMITS[@]}" --name "k$ID" --tmpfs /t:nonsense=1 busybox true
	nothing_is_left
	equal "$(find "$STORE" -name upper)" ""
}

# start_family: a program with children of its own
start_family() {
	start_family_with "${LIMITS[@]}" "$@"
}

start_family_with() {
	start family --name "k$ID" "$@" busybox sh -c 'tool -hang & (setsid tool -hang &); echo up; exec tool -hang'
}

killed_launcher() {
	local pids
	start_family
	pids="$(inside "$started" wherry-init) $(inside "$started" tool)"
	kill -KILL "$started"
	ends "$started" 137
	# shellcheck disable=SC2086
	eventually gone $pids
	wherry run busybox true
	nothing_is_left
}

killed_launcher_on_disk() {
	start_family --overlay disk
	kill -KILL "$started"
	ends "$started" 137
	eventually wherry run busybox true
	nothing_is_left
	equal "$(find "$STORE" -name upper)" ""
}

same_name_again() {
	start_family
	kill -KILL "$started"
	ends "$started" 137
	# Its processes are dying: the name is free as soon as they are dead.
	eventually wherry run "${LIMITS[@]}" --name "k$ID" busybox true
	nothing_is_left
}

# A cgroup that cannot be removed yet: whoever is refused the name leaves it to the next.
still_ending() {
	start_family
	kill -KILL "$started"
	ends "$started" 137
	fails_with 125 "the name k$ID is taken: its last container is still ending" strace -f -qq -o "$SCRATCH/ending" \
		-e trace=unlinkat -e inject=unlinkat:error=EBUSY "$WHERRY" --root "$STORE" --state "$STATE" run --name "k$ID" busybox true
	equal "$(ls "$STATE")" "k$ID"
	eventually wherry run busybox true
	nothing_is_left
}

killed_init() {
	start_family
	kill -KILL "$(inside "$started" wherry-init)"
	ends "$started" 137
	nothing_is_left
}

killed_program() {
	start_family
	kill -KILL "$(inside "$started" tool)"
	ends "$started" 137
	nothing_is_left
}

# At every moment of a start, from the first microsecond to the running program.
killed_at_any_point() {
	local pid attempt
	for attempt in {1..60}; do
		"$WHERRY" --root "$STORE" --state "$STATE" run "${LIMITS[@]}" --name "k$ID-$attempt" busybox tool -hang >"$SCRATCH/any.out" 2>&1 &
		pid=$!
		sleep "$(printf '0.%04d' $((attempt * 2)))"
		kill -KILL "$pid"
		ends "$pid" 137
	done
	no_tools() { ! pgrep -x 'tool|wherry-init|wherry' >/dev/null; }
	eventually no_tools
	wherry run busybox true
	nothing_is_left
}

# The other side: whatever process of the container dies, at whatever moment.
killed_children() {
	local pid child attempt
	for attempt in {1..40}; do
		timeout -k 5 "$PATIENCE" "$WHERRY" --root "$STORE" --state "$STATE" run "${LIMITS[@]}" --name "k$ID-$attempt" busybox tool -hang >"$SCRATCH/child.out" 2>&1 &
		pid=$!
		sleep "$(printf '0.%04d' $((attempt * 3)))"
		for child in $(pgrep -P "$(pgrep -P "$pid" || echo 0)" || true); do
			kill -KILL "$child" 2>/dev/null || gone "$child"
		done
		pkill -KILL -P "$pid" -x tool || true
		kill -TERM "$pid" 2>/dev/null || gone "$pid"
		if wait "$pid"; then echo "attempt $attempt ended well" >&2; return 1; fi
	done
	nothing_is_left
}

# Its file, locked by somebody, is all that a launch knows of a container that runs.
hold_a_hundred() {
	local n fd
	for n in {1..100}; do
		exec {fd}>"$STATE/held$n"
		flock -n "$fd"
	done
	echo held
	exec sleep 100
}

among_many() {
	local attempt holder
	umask 077
	mkdir -p "$STATE"
	hold_a_hundred >"$SCRATCH/held" &
	holder=$!
	eventually grep -q held "$SCRATCH/held"
	printf '1\n' | tee "$STATE"/dead{1..40} >/dev/null
	strace -f -e trace=flock -o "$SCRATCH/sweep" "$WHERRY" --root "$STORE" --state "$STATE" run busybox true
	for attempt in {1..100}; do
		[ -n "$(find "$STATE" -name 'dead*')" ] || break
		wherry run busybox true
	done
	kill "$holder"
	ends "$holder" 143
	equal "$(find "$STATE" -name 'dead*')" ""
	equal "$(find "$STATE" -name 'held*' | wc -l)" 100
	[ "$(grep -c EAGAIN "$SCRATCH/sweep")" -eq 32 ]
	wherry run busybox true
	nothing_is_left
}

# The third lock of a start is that of its name, behind the image's and the directory's.
name_not_locked() {
	fails_with 125 "lock the state of k$ID: No locks available" strace -f -qq -o "$SCRATCH/locks" -e trace=flock \
		-e inject=flock:error=ENOLCK:when=3 "$WHERRY" --root "$STORE" --state "$STATE" run --name "k$ID" busybox true
	nothing_is_left
}

# What looks most like a state: locked by nobody, a number in it, or nothing.
strangers_files() {
	local state=$SCRATCH/strangers
	mkdir -p "$state"
	(umask 077; echo 12 times >"$state/notes"; echo >"$state/line"; echo 1 >"$state/.hidden"; : >"$state/dead")
	echo 12 >"$state/daemon.pid"
	: >"$state/lock"
	"$WHERRY" --root "$STORE" --state "$state" run busybox true
	equal "$(ls -A "$state" | paste -sd ' ' -)" ".hidden daemon.pid line lock notes"
	rm -r "$state"
}

# Its cgroup has the name too, and is not ours to empty.
name_elsewhere() {
	start first --name "k$ID" busybox sh -c 'echo up; exec tool -hang'
	fails_with 125 "the name k$ID is taken: a container of another --state has the cgroup" \
		"$WHERRY" --root "$STORE" --state "$SCRATCH/elsewhere" run --name "k$ID" busybox true
	equal "$(ls -A "$SCRATCH/elsewhere")" ""
	[ -n "$(inside "$started" tool)" ]
	kill "$started"
	ends "$started" 143
	rmdir "$SCRATCH/elsewhere"
	nothing_is_left
}

# What a killed one of the same name has left in another state directory is long gone from the cgroup.
name_elsewhere_before() {
	(umask 077; mkdir "$SCRATCH/elsewhere"; echo 1 >"$SCRATCH/elsewhere/k$ID")
	start first --name "k$ID" busybox sh -c 'echo up; exec tool -hang'
	"$WHERRY" --root "$STORE" --state "$SCRATCH/elsewhere" run busybox true
	[ -n "$(inside "$started" tool)" ]
	kill "$started"
	ends "$started" 143
	"$WHERRY" --root "$STORE" --state "$SCRATCH/elsewhere" run busybox true
	rmdir "$SCRATCH/elsewhere"
	nothing_is_left
}

# By a user who may do no more than read.
locked_cgroup() {
	local cgroups dir holder
	start_family
	mapfile -t cgroups < <(host_cgroups | grep "wherry-k$ID\$")
	for dir in "${cgroups[@]}"; do
		setpriv --reuid 65534 --clear-groups flock --no-fork "$dir" sh -c 'echo held; exec sleep 100' >>"$SCRATCH/locks.held" &
		holder+=" $!"
	done
	kill -KILL "$started"
	ends "$started" 137
	eventually eval "[ \$(wc -l <'$SCRATCH/locks.held') -eq ${#cgroups[@]} ]"
	eventually wherry run --name "k$ID" busybox true
	nothing_is_left
	# shellcheck disable=SC2086
	kill $holder
}

# The container's own: what it made below its cgroup, there with processes in it.
deeper_cgroups() {
	wherry run "${LIMITS[@]}" --name "k$ID" --privileged busybox sh -c '
		for dir in /sys/fs/cgroup /sys/fs/cgroup/*; do
			[ -w "$dir/cgroup.procs" ] || continue
			mkdir -p "$dir/a/b/c" "$dir/d"
			sleep 100 &
			echo $! >"$dir/a/b/cgroup.procs"
			made=yes
		done
		[ "$made" ]' 2>"$SCRATCH/deeper"
	equal "$(cat "$SCRATCH/deeper")" ""
	nothing_is_left
}

# No namespace ends them, nor is there a limit that wants a cgroup.
killed_among_the_hosts() {
	local pids
	start_family_with --pid host --privileged
	pids="$(inside "$started" wherry-init) $(inside "$started" tool)"
	kill -KILL "$started"
	ends "$started" 137
	wherry run busybox true
	# shellcheck disable=SC2086
	eventually gone $pids
	no_tools() { ! pgrep -x tool >/dev/null; }
	eventually no_tools
	nothing_is_left
}

# The kernel frees a program with another user's rights from its parent's death (prctl(2), PR_SET_PDEATHSIG).
killed_with_setuid() {
	mkdir -p "$SCRATCH/setuid"
	cp "$(rootfs busybox)/bin/tool" "$SCRATCH/setuid/tool"
	chmod 4755 "$SCRATCH/setuid/tool"
	start family --name "k$ID" --no-init --privileged -u 1000 -v "$SCRATCH/setuid:/setuid" busybox /setuid/tool -signals
	kill -KILL "$started"
	ends "$started" 137
	wherry run busybox true
	no_tools() { ! pgrep -x tool >/dev/null; }
	eventually no_tools
	nothing_is_left
}

# As on most machines, where systemd makes / shared: no mount of the container may appear outside.
shared_root() {
	unshare --mount --propagation private bash -euo pipefail -c '
		mount --make-rshared /
		before=$(sort /proc/self/mountinfo)
		"$1" --root "$2" --state "$3" run -v "$4:/x" busybox sh -c "echo up; sleep 0.5" >"$4/shared.out" &
		for _ in {1..100}; do ! grep -qs up "$4/shared.out" || break; sleep 0.05; done
		grep -q up "$4/shared.out"
		[ "$(sort /proc/self/mountinfo)" = "$before" ]
		wait
		[ "$(sort /proc/self/mountinfo)" = "$before" ]
	' bash "$WHERRY" "$STORE" "$STATE" "$SCRATCH"
}

many_in_turn() {
	local n
	for n in {1..20}; do
		wherry run "${LIMITS[@]}" busybox true
		wherry run "${LIMITS[@]}" busybox true &
		wherry run "${LIMITS[@]}" busybox true
		wait
	done
	nothing_is_left
}

many_at_once() {
	local pids=() n
	for n in {1..40}; do
		"$WHERRY" --root "$STORE" --state "$STATE" run busybox true &
		pids+=($!)
	done
	for n in "${pids[@]}"; do ends "$n" 0; done
	state_is_empty
}

it "leaves nothing after success and after errors" ordinary
it "touches no other store or state directory than those that are named" other_places
it "leaves nothing when a mount fails inside" failing_mount
it "kill -9 of wherry ends the container, and the next command removes the rest" killed_launcher
it "kill -9 of wherry with its layer on disk leaves no file behind the next command" killed_launcher_on_disk
it "kill -9 of wherry leaves its name free" same_name_again
it "kill -9 of the init ends the container and leaves nothing" killed_init
it "kill -9 of the program ends the container and leaves nothing" killed_program
it "kill -9 of wherry with --pid host and --privileged leaves no process behind the next command" killed_among_the_hosts
it "kill -9 of wherry leaves no program that --no-init and a set-user-ID bit have untied from it" killed_with_setuid
it "removes no file that is not its own from the state directory" strangers_files
it "leaves a container alone that has the same name in another state directory" name_elsewhere
it "leaves it alone where that name was another's before" name_elsewhere_before
it "removes what a killed one left also where a user holds it locked" locked_cgroup
if limits_here memory; then
	it "removes cgroups that the container made below its own" deeper_cgroups
else
	skip "removes cgroups that the container made below its own" "no cgroup to make some in"
fi
it "kill -9 of wherry at any moment of its start leaves nothing" killed_at_any_point
it "kill -9 of the container's processes at any moment leaves nothing" killed_children
if type -P strace >/dev/null; then
	it "removes what killed ones left among a hundred that run, looking at 32 of these a time" among_many
	it "leaves no file of a name that it could not lock" name_not_locked
	if limits_here memory; then
		it "leaves the cgroup of a container that is still ending to the next command" still_ending
	else
		skip "leaves the cgroup of a container that is still ending to the next command" "no cgroup that could stay"
	fi
else
	skip "leaves the cgroup of a container that is still ending to the next command" "no strace here"
	skip "removes what killed ones left among a hundred that run" "no strace here"
	skip "leaves no file of a name that it could not lock" "no strace here"
fi
it "lets no mount out where / is shared" shared_root
it "leaves nothing after many runs, two at a time" many_in_turn
it "starts forty at once" many_at_once
finish_clean

#!/bin/bash
# timeout: 600
# Every system call that a start makes is made to fail, one in each run, in whichever of its processes
# makes the N-th of that name. Either wherry says in one line what it could not do (two with the hint),
# and exits with 125; or the call is one to go without, and then the container is as tight as ever: its
# program looks. Either way nothing is left.
#
# Seen to fail: with a `return -1` without fail() where launcher/mount/root.c mounts its tmpfs ("stopped without a
# reason"), with seccomp_install() ignored in launcher/container/inside.c ("weak: no seccomp filter"), with
# cgroup_destroy() taken out of launcher/container/container.c (cgroups left).
. "$(dirname "$0")/../lib/lib.sh"
own_etc
. "$TOP/tests/lib/launch.sh"
load busybox

INSIDE=$BUILD/tests/security/inside
NAME=inject$ID
LIMITS=()
if limits_here memory && limits_here pids; then LIMITS=(-m 64M --pids-limit 50); fi

# Never made to fail, and why:
#   execve of wherry itself, exit, exit_group, rt_sigreturn   there is nothing behind them
#   arch_prctl, set_tid_address                               the libc has no way to go on without
#   wait4                                                     cannot fail while there is a child; init would wait on
left_out() {
	case $1:$2 in
	execve:1 | exit:* | exit_group:* | rt_sigreturn:* | arch_prctl:* | set_tid_address:* | wait4:*) return 0 ;;
	esac
	return 1
}

# What may fail with a line, or with success, that would be wrong anywhere else:
#   unlink, unlinkat, rmdir   the last thing of all: the next command removes what stays
#   flock                     the state is not ours to remove then
#   write                     it may be the line itself
#   vfork, chdir              the program, or its directory, could not be used: 126
#   close                     the kernel itself closes even where it reports an error; here it did not
excuse() {
	case $1:$2:$3 in
	close:99:* | unlink:0:0 | unlinkat:0:[01] | rmdir:0:[01] | vfork:126:1 | chdir:126:1 | write:125:0) return 0 ;;
	esac
	return 1
}

# What other starts have more than the plain one, whose calls are made to fail a second time only where they
# are others. The donor is another container; the ids are given at the end of this file.
USERNS=(--userns "$NAME" -t --ulimit nofile=100:200 --device /dev/zero:/dev/own)
MORE=(--ipc "container:$NAME-donor" -u 1000 --read-only -t --ulimit nofile=100:200 --device /dev/zero:/dev/own
	--sysctl net.ipv4.ip_forward=1 --overlay "$SCRATCH/kept" -v volume:/v --report "$SCRATCH/report")
VARIANT=()

# Its program looks how tight the container is, and no call of its own is made to fail (strace's -b).
start_of() {
	echo "$WHERRY" --root "$STORE" --state "$STATE" run "${LIMITS[@]}" --name "$NAME" "${VARIANT[@]}" \
		-v "$INSIDE:/inside:ro" --tmpfs /t busybox /inside verify
}

# Each system call of a start, with how often one process makes it; the program's own are left out.
calls() {
	local trace
	rm -rf "$SCRATCH/trace"
	mkdir "$SCRATCH/trace"
	# shellcheck disable=SC2046
	strace -ff -o "$SCRATCH/trace/of" $(start_of) >"$SCRATCH/verified"
	for trace in "$SCRATCH"/trace/of.*; do
		sed '/^execve("\/inside"/,$d' "$trace" | sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' | sort | uniq -c
	done | awk '{ if ($1 > most[$2]) most[$2] = $1 } END { for (call in most) print call, most[call] }' | sort
}

what_is_left() {
	ls -A "$STATE" | grep -vx "$NAME-donor" || [ $? -eq 1 ]
	find "$STORE/tmp" -mindepth 1 2>/dev/null || [ ! -e "$STORE/tmp" ]
	host_cgroups | grep "wherry-$NAME\$" || [ $? -eq 1 ]
}

# inject ERROR CALL N: says what is wrong, if anything is.
inject() {
	local status=0 lines left
	# shellcheck disable=SC2046
	timeout -k 5 "$PATIENCE" strace -f -b execve -qq -o "$SCRATCH/injected" -e "trace=$2" -e "inject=$2:error=$1:when=$3" \
		$(start_of) >"$SCRATCH/said" 2>"$SCRATCH/lines" || status=$?
	lines=$(wc -l <"$SCRATCH/lines")
	left=$(what_is_left)
	if [ -n "$left" ]; then
		wherry run --name "$NAME" busybox true || echo "$1 $2 $3: the next run fails"
		left=$(what_is_left)
	fi
	[ -z "$left" ] || echo "$1 $2 $3: left $left"
	if [ "$status" -eq 0 ] && [ "$lines" -eq 0 ]; then return 0; fi
	if [ "$status" -eq 125 ] && [ "$lines" -ge 1 ] && [ "$lines" -le 2 ]; then
		grep -vq '^wherry: ' "$SCRATCH/lines" || grep -q 'without a reason$' "$SCRATCH/lines" || return 0
	fi
	# what lies there is the next run's to remove, which it has done by now
	if [ "$status" -eq 0 ] && [ "$lines" -eq 1 ] && grep -q "^wherry: remove $STORE/tmp/" "$SCRATCH/lines"; then return 0; fi
	if excuse "$2" "$status" "$lines"; then return 0; fi
	echo "$1 $2 $3: status $status, $lines lines"
	cat "$SCRATCH/lines" "$SCRATCH/said"
	grep INJECTED "$SCRATCH/injected" || echo "not reached"
}

# each ERROR: of the calls "NAME FIRST LAST" on standard input.
each() {
	local call first last n wrong=''
	while read -r call first last; do
		for ((n = first; n <= last; n++)); do
			if left_out "$call" "$n"; then continue; fi
			wrong+=$(inject "$1" "$call" "$n" </dev/null)
		done
	done
	equal "$wrong" ""
}

# ERROR: of every call.
survives() {
	calls >"$SCRATCH/calls"
	[ "$(wc -l <"$SCRATCH/calls")" -gt 40 ]
	awk '{ print $1, 1, $2 }' "$SCRATCH/calls" >"$SCRATCH/each"
	each "$1" <"$SCRATCH/each"
}

# CALL… OPTION…: the calls that a plain start doesn't make, or makes less often. Those named must be among them,
# so that none goes missing; of many writes to one file the first twenty are enough.
survives_more() {
	local call must=()
	while [ "${1#-}" = "$1" ]; do must+=("$1"); shift; done
	VARIANT=()
	calls >"$SCRATCH/calls"
	VARIANT=("$@")
	calls | awk 'NR == FNR { plain[$1] = $2; next }
		$2 > plain[$1] + 20 { $2 = plain[$1] + 20 }
		$2 > plain[$1] { print $1, plain[$1] + 1, $2 }' "$SCRATCH/calls" - >"$SCRATCH/each"
	for call in "${must[@]}"; do
		grep -q "^$call " "$SCRATCH/each" || { echo "no $call"; return 1; }
	done
	each EPERM <"$SCRATCH/each"
}

# A container that shares its IPC stands by.
survives_joining() {
	start donor --name "$NAME-donor" --ipc shareable busybox sh -c 'echo up; exec tool -hang'
	survives_more "$@"
	kill "$started"
	ends "$started" 143
}

if ! type -P strace >/dev/null || ! strace -qq -o "$SCRATCH/can" true; then
	skip "survives the failure of every single call" "no strace here"
	finish_clean
fi
it "survives it where memory is out: any single call fails with ENOMEM" survives ENOMEM
it "survives it where something is forbidden: any single call fails with EPERM" survives EPERM
trap 'sed -i "/^$NAME:/d" /etc/subuid /etc/subgid; scratch_remove' EXIT
for file in /etc/subuid /etc/subgid; do echo "$NAME:$((1100000000 + NUMBER_OF_ID * 65536)):65536" >>"$file"; done
it "survives it with a user namespace, a terminal and a device" \
	survives_more clone prlimit64 setresuid recvmsg sendmsg mknodat fchownat unshare ioctl "${USERNS[@]}"
it "survives it with another's IPC, a kept layer, a volume and a report" \
	survives_joining clone prlimit64 pidfd_open open_tree move_mount flock ftruncate "${MORE[@]}"
finish_clean

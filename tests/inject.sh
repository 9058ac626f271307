#!/bin/bash
# timeout: 600
# Every system call that a start makes is made to fail, one in each run, in whichever of its processes
# makes the N-th of that name. Either wherry says in one line what it could not do (two with the hint),
# and exits with 125; or the call is one to go without, and then the container is as tight as ever: its
# program looks. Either way nothing is left.
#
# Seen to fail: with a `return -1` without fail() where launcher/root.c mounts its tmpfs ("stopped without a
# reason"), with seccomp_install() ignored in launcher/inside.c ("weak: no seccomp filter"), with
# cgroup_destroy() taken out of launcher/container.c (cgroups left).
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/launch.sh"
load busybox

INSIDE=$BUILD/tests/inside
NAME=inject$$
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

# Its program looks how tight the container is, and no call of its own is made to fail (strace's -b).
start_of() {
	echo "$WHERRY" --root "$STORE" --state "$STATE" run "${LIMITS[@]}" --name "$NAME" \
		-v "$INSIDE:/inside:ro" --tmpfs /t busybox /inside verify
}

# Each system call of a start, with how often one process makes it; the program's own are left out.
calls() {
	local trace
	mkdir -p "$SCRATCH/trace"
	# shellcheck disable=SC2046
	strace -ff -o "$SCRATCH/trace/of" $(start_of) >"$SCRATCH/verified"
	for trace in "$SCRATCH"/trace/of.*; do
		sed '/^execve("\/inside"/,$d' "$trace" | sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' | sort | uniq -c
	done | awk '{ if ($1 > most[$2]) most[$2] = $1 } END { for (call in most) print call, most[call] }' | sort
}

what_is_left() {
	ls -A "$STATE"
	find "$STORE/tmp" -mindepth 1 2>/dev/null || [ ! -e "$STORE/tmp" ]
	host_cgroups | grep "wherry-$NAME" || [ $? -eq 1 ]
}

# inject ERROR CALL N: says what is wrong, if anything is.
inject() {
	local status=0 lines left
	# shellcheck disable=SC2046
	timeout -k 1 20 strace -f -b execve -qq -o "$SCRATCH/injected" -e "trace=$2" -e "inject=$2:error=$1:when=$3" \
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
	if excuse "$2" "$status" "$lines"; then return 0; fi
	echo "$1 $2 $3: status $status, $lines lines"
	cat "$SCRATCH/lines" "$SCRATCH/said"
	grep INJECTED "$SCRATCH/injected" || echo "not reached"
}

# ERROR: of every call.
survives() {
	local call most n wrong=''
	calls >"$SCRATCH/calls"
	[ "$(wc -l <"$SCRATCH/calls")" -gt 40 ]
	while read -r call most; do
		for ((n = 1; n <= most; n++)); do
			if left_out "$call" "$n"; then continue; fi
			wrong+=$(inject "$1" "$call" "$n")
		done
	done <"$SCRATCH/calls"
	equal "$wrong" ""
}

if ! type -P strace >/dev/null || ! strace -qq -o "$SCRATCH/can" true; then
	skip "survives the failure of every single call" "no strace here"
	finish_clean
fi
it "survives it where memory is out: any single call fails with ENOMEM" survives ENOMEM
it "survives it where something is forbidden: any single call fails with EPERM" survives EPERM
finish_clean

#!/bin/bash
# --detach-keys: a container with a terminal goes on without it.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

# at OPTION… -- [COMMAND…]: who sits at the terminal of a container $ID does what standard input says.
at() {
	local options=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
	[ $# -eq 0 ] || shift
	[ $# -gt 0 ] || set -- sh -c 'echo up; exec tool -hang'
	timeout -k 5 "$PATIENCE" python3 "$TOP/tests/lib/detach.py" "$WHERRY" --root "$STORE" --state "$STATE" \
		run -it --name "$ID" "${options[@]}" busybox "$@"
}

# own TEST: with a name of its own, so that what it leaves is nobody else's.
own() {
	ID=$ID-$test_count
	"$@"
}

supervisor() { head -n 1 "$STATE/$ID"; }
runs() { [ -e "$STATE/$ID" ] && kill -0 "$(supervisor)"; }
gone() { [ ! -e "$STATE/$ID" ]; }

detaches() {
	local pid
	at --cidfile "$SCRATCH/cid" --report "$SCRATCH/report" <<-END
		raw
		see up
		type \x10\x11
		see $ID goes on without a terminal; \`kill
		exit 0
		cooked
	END
	runs
	equal "$(cat "$SCRATCH/cid")" "$ID"
	pid=$(supervisor)
	# nothing of the terminal is held any more, and its supervisor is its init's parent
	equal "$(readlink "/proc/$pid/fd/0" "/proc/$pid/fd/1" "/proc/$pid/fd/2" | sort -u)" /dev/null
	equal "$(ps -o sid= -o tty= -p "$pid" | awk '{ print $1, $2 }')" "$pid ?"
	equal "$(ps -o ppid= -p "$(inside "$pid" wherry-init)" | tr -d ' ')" "$pid"
	kill "$pid"
	eventually gone
	contains "$(cat "$SCRATCH/report")" '"status": 143'
}

# What it prints then is dropped, and does not stop it: more than a terminal and a pipe hold.
goes_on() {
	mkdir -p "$SCRATCH/volume"
	at -v "$SCRATCH/volume:/volume" -- sh -c \
		'echo up; until [ -e /volume/left ]; do sleep 0.1; done; yes | head -c 1000000; stty size; echo done >/volume/done; exit 3' <<-END
		see up
		type \x10\x11
		exit 0
		run touch '$SCRATCH/volume/left'
	END
	eventually grep -q done "$SCRATCH/volume/done"
	eventually gone
}

terminal_hangs_up() {
	at -- <<-END
		see up
		type \x10\x11
		exit 0
		hang
		run sleep 0.3
	END
	runs
	kill "$(supervisor)"
	eventually gone
}

# The first key waits for the next, and reaches the program with it: docker's way.
part_of_it() {
	at -- sh -c 'stty raw -echo; echo up; exec od -An -v -tx1 -w1' <<-'END'
		raw
		see up
		type \x10
		not 10
		type a
		see 10
		see 61
		type \x10\x10b
		see 10
		see 10
		see 62
		paste c\x10
		see 63
		not 10
		paste \x10\x11
		see 10
		see 10
		see 11
		type \x11
		see 11
		paste ddd\x10\x11eee
		exit 0
		cooked
	END
	runs
	kill -KILL "$(inside "$(supervisor)" od)"
	eventually gone
}

other_keys() {
	local keys
	for keys in 'ctrl-@,x,ctrl-_ \x00x\x1f' 'q q' 'ctrl-a,ctrl-a \x01\x01' 'ctrl-[,ctrl-\,ctrl-],ctrl-^ \x1b\x1c\x1d\x1e'; do
		at --detach-keys "${keys% *}" <<-END
			see up
			type ${keys#* }
			exit 0
			cooked
		END
		kill "$(supervisor)"
		eventually gone
	done
	at --detach-keys '' -- sh -c 'stty raw -echo; echo up; exec od -An -v -tx1 -w1' <<-'END'
		see up
		type \x10\x11
		see 10
		see 11
		kill TERM
		exit 143
		cooked
	END
	for keys in ctrl-A ab a,,b ctrl- , a,b, 'ctrl-1' a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a; do
		fails_with 125 "--detach-keys: '$keys' is not KEY,KEY" wherry run --detach-keys "$keys" busybox true
	done
}

# Who detaches nothing notices nothing: statuses, signals, sizes, what was printed last.
attached() {
	at -- sh -c 'stty size; read x; stty size; yes last | head -n 3000; exit 7' <<-'END'
		see 24 80
		raw
		size 33 77
		type \r
		see 33 77
		see last\r\nlast
		exit 7
		cooked
	END
	gone
	at -- sh -c 'trap "echo got; exit 9" USR1; echo up; while :; do sleep 0.1; done' <<-'END'
		see up
		kill USR1
		see got
		exit 9
		cooked
	END
	at -- sh -c 'echo up; read x; kill -KILL $$' <<-'END'
		see up
		type \r
		exit 137
		cooked
	END
	at -- nosuch <<-'END'
		see run nosuch: No such file
		exit 127
		cooked
	END
	at -u nosuch -- true <<-'END'
		see the user nosuch
		exit 125
		cooked
	END
	gone
	if limits_here memory; then
		# not before the terminal is whole again: the line does not begin where the last ended
		at -m 32M -- tool -mb 100 <<-'END'
			see out of memory: the container reached its limit of 32 MiB
			exit 137
			cooked
		END
	fi
}

# With the terminal taken already, and by no front that would give it back.
fails_late() {
	timeout -k 5 "$PATIENCE" python3 "$TOP/tests/lib/detach.py" strace -f -qq -o "$SCRATCH/late" -e trace=lseek -e inject=lseek:error=EIO:when=1 \
		"$WHERRY" --root "$STORE" --state "$STATE" run -it --detach-keys '' --ipc shareable --name "$ID" busybox sleep 100 <<-END
		see write the state of $ID: I/O error
		exit 125
		cooked
	END
	gone
}

stops() {
	at -- sh -c 'echo up; while read x; do echo "<$x>"; done' <<-'END'
		see up
		raw
		kill TSTP
		run until [ "$(ps -o stat= -p $PID | cut -c 1)" = T ]; do sleep 0.05; done
		cooked
		kill CONT
		raw
		type again\r
		see <again>
		type \x04
		exit 0
		cooked
	END
}

# Of its processes any may be killed: before it is left its front too ends the container.
killed() {
	local of processes
	for of in '$PID' '$(head -n 1 '"$STATE/$ID"')'; do
		processes=$SCRATCH/processes
		at -- <<-END
			see up
			run pgrep -P \$(pgrep -P \$(head -n 1 $STATE/$ID)) >$processes; [ -s $processes ]
			run kill -KILL $of
			exit 137
		END
		eventually bash -c '! kill -0 $(cat "$1")' - "$processes"
		wherry run busybox true
		gone
	done
	# also where its supervisor cannot see to it
	at -- <<-END
		see up
		run pgrep -P \$(pgrep -P \$(head -n 1 $STATE/$ID)) >$processes; [ -s $processes ]
		run kill -STOP \$(head -n 1 $STATE/$ID)
		run kill -KILL \$PID
		exit 137
	END
	eventually bash -c '! kill -0 $(cat "$1")' - "$processes"
	wherry run busybox true
	gone
	at -- <<-END
		see up
		type \x10\x11
		exit 0
		run pgrep -P \$(pgrep -P \$(head -n 1 $STATE/$ID)) >$processes; [ -s $processes ]
		run kill -KILL \$(head -n 1 $STATE/$ID)
	END
	eventually bash -c '! kill -0 $(cat "$1")' - "$processes"
	wherry run busybox true
	gone
}

# Ctrl-C before there is a container: the terminal's own key still.
early() {
	mkfifo "$SCRATCH/never"
	timeout -k 5 "$PATIENCE" python3 "$TOP/tests/lib/detach.py" "$WHERRY" --root "$STORE" --state "$STATE" run -it \
		--env-file "$SCRATCH/never" busybox true <<-'END'
		run sleep 0.5
		type \x03
		exit 130
		cooked
	END
}

# Where nothing can be left there is one process, not two.
no_front() {
	strace -f -qq -e trace=clone,clone3,fork,vfork -o "$SCRATCH/trace" "$WHERRY" --root "$STORE" --state "$STATE" \
		run -i busybox true
	equal "$(awk '{ print $1 }' "$SCRATCH/trace" | head -n 1)" "$(awk '/clone3/ { print $1 }' "$SCRATCH/trace" | head -n 1)"
	equal "$(grep -c 'clone3' "$SCRATCH/trace")" 1
	fails_with 125 "standard input is not a terminal" wherry run -it busybox true
}

it "leaves the container running, and its terminal as it was" own detaches
it "drops what it prints from then on" own goes_on
it "survives the end of the terminal then" own terminal_hangs_up
it "holds a key back until the next one decides" own part_of_it
it "--detach-keys names others, or none" own other_keys
it "changes nothing for who does not leave" own attached
if type -P strace >/dev/null; then
	it "gives the terminal back where it fails late" own fails_late
else
	skip "gives the terminal back where it fails late" "no strace here"
fi
it "stops and goes on with its front" own stops
it "ends, and is cleaned up, whichever of its processes is killed" own killed
it "is interrupted before the program runs" own early
it "makes no front where there is no terminal to leave" own no_front
finish_clean

#!/bin/bash
# The caller's terminal: what the program has in its place, with -t and without, and what becomes of it.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

# at OPTION… -- COMMAND…: who sits at the terminal of a container does what standard input says.
at() {
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	timeout -k 5 60 python3 "$TOP/tests/lib/detach.py" "$WHERRY" --root "$STORE" --state "$STATE" \
		run "${options[@]}" busybox "$@"
}

# It could be read, and its settings changed, through what is meant to be written to.
no_terminal() {
	local where='for fd in 1 2; do readlink /proc/$$/fd/$fd; [ ! -t $fd ]; done; echo done.'
	at -- sh -ec "$where" <<-'END'
		see pipe:[
		see pipe:[
		see done.
		exit 0
	END
	at -- sh -c 'timeout 1 cat </proc/self/fd/1 & stty -echo <&1; wait; echo status $?.' <<-'END'
		paste secret\n
		not typed:secret
		see status
		cooked
		exit 0
	END
	# nor through the init's own, for whoever may look into that
	at --privileged -- sh -c 'for fd in /proc/1/fd/*; do stty -echo -F $fd; done; sleep 0.5; echo done.' <<-'END'
		see done.
		cooked
		exit 0
	END
}

one_order() {
	at -- sh -c 'for n in 1 2 3 4 5 6 7 8; do echo $n.; echo $n, >&2; done' <<-'END'
		see 1.\r\n1,\r\n2.\r\n2,\r\n3.\r\n3,\r\n4.\r\n4,\r\n5.\r\n5,\r\n6.\r\n6,\r\n7.\r\n7,\r\n8.\r\n8,
		exit 0
	END
}

# What is no terminal is the caller's own, as it was.
others_stay() {
	local run="'$WHERRY' --root '$STORE' --state '$STATE' run busybox"
	: >"$SCRATCH/own"
	timeout -k 5 60 python3 "$TOP/tests/lib/detach.py" sh -c "
		$run sh -c 'own=\$(readlink /proc/\$\$/fd/1); echo \$own >&2; echo out; echo err >&2' >$SCRATCH/own; cat $SCRATCH/own
		$run sh -c 'readlink /proc/\$\$/fd/2; echo to the file >&2' 2>$SCRATCH/own; cat $SCRATCH/own" <<-END
		see own
		see err
		see out
		see own
		see to the file
		exit 0
	END
}

# All that a program wrote is there when wherry ends, however fast it was.
writes_all() {
	at -- sh -c 'yes | head -n 20000; echo the last' <<-'END'
		see the last
		exit 0
	END
	at -- sh -c 'yes | head -n 20000 >&2; echo the last >&2; kill -9 $$' <<-'END'
		see the last
		exit 137
	END
}

reopens() {
	at -u 1000 -- sh -c 'echo again >/dev/stdout; echo and again >/dev/stderr' <<-'END'
		see again
		see and again
		exit 0
	END
}

reads_input() {
	at -i -- sh -c '[ ! -t 0 ] && readlink /proc/self/fd/0; while read -r line; do echo "<$line>"; done; echo end.' <<-'END'
		see pipe:[
		type one\n
		see <one>
		type two\n
		see <two>
		type \x04
		see end.
		cooked
		exit 0
	END
	# one that doesn't read ends all the same
	at -i -- sh -c 'echo up; sleep 0.3; exit 4' <<-'END'
		see up
		type one\n
		exit 4
	END
	# and one that has closed its own does not hold wherry up
	at -i -- sh -c 'exec <&-; echo up; sleep 1; echo more.' <<-'END'
		see up
		type one\ntwo\n
		see more.
		exit 0
	END
}

# The terminal takes no output, as a serial line without a cable: the first signal ends it, and soon.
takes_no_output() {
	local options
	for options in '-it' '-it --detach-keys=' '-t' ''; do
		# shellcheck disable=SC2086
		at $options --name "$ID" -- sh -c 'echo up; yes' <<-END
			see up
			xoff
			run sleep 0.5
			kill TERM
			exit 143
			cooked
		END
	done
	equal "$(ls -A "$STATE")" ""
}

# The program has ended, and nobody asks: what it wrote is waited for, and then all there.
waits_for_output() {
	at -t -- sh -c 'echo up; sleep 0.5; seq 3000; echo the last' <<-'END'
		see up
		xoff
		run sleep 2; kill -0 $PID
		xon
		see the last
		exit 0
	END
}

# A program that handles TERM and goes on is not cut short: only what nobody reads is.
ends_in_its_time() {
	at -t -- sh -c 'trap "echo got; sleep 3; seq 2000; echo the last; exit 3" TERM; echo up; while :; do sleep 0.1; done' <<-'END'
		see up
		kill TERM
		see the last
		exit 3
	END
}

# A shell that ignores SIGHUP reads an end of file when whoever sat at its terminal is gone.
hangs_up() {
	local options
	mkdir -p "$SCRATCH/volume"
	for options in '-it' '-it --detach-keys=' '-t'; do
		rm -f "$SCRATCH/volume/end"
		# shellcheck disable=SC2086
		at $options -v "$SCRATCH/volume:/volume" -- sh -c 'trap "" HUP; echo up; cat >/dev/null; echo $? >/volume/end' <<-'END'
			see up
			hang
			run sleep 0.1
		END
		eventually test -s "$SCRATCH/volume/end"
		eventually eval '[ -z "$(ls -A "$STATE")" ]'
	done
}

# Its settings are what they were, however the program and wherry end.
restored() {
	local how
	for how in 'exit 0' 'stty -echo raw; exit 0' 'kill -9 $$' 'kill -9 1' 'exec /nowhere' ; do
		at -it --detach-keys= --no-init -- sh -c "$how" <<<cooked
		at -it -- sh -c "$how" <<<cooked
	done
	at -it -- /nowhere <<-'END'
		cooked
		exit 127
	END
}

it "gives the program nothing that leads to the caller's terminal" no_terminal
it "keeps the order of its output and errors at a terminal" one_order
it "leaves what is no terminal as the caller has it" others_stay
it "shows all that a program wrote before its end" writes_all
it "lets a program of any user open its output again" reopens
it "-i: passes on what is typed, and its end" reads_input
it "ends at the first signal where the terminal takes no output" takes_no_output
it "waits for a terminal that takes no output where nobody asks for the end" waits_for_output
it "shows what a program writes in its own time after a signal" ends_in_its_time
it "closes the program's terminal once the caller's is gone" hangs_up
it "gives the terminal back as it was at every end" restored
finish_clean

#!/bin/bash
# wherry run: what goes in and what comes out.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

hello() { equal "$(wherry run busybox echo hello 'two words' '')" "hello two words "; }

cmd() { equal "$(echo 'echo from $0' | wherry run -i busybox)" "from sh"; }

status_of() {
	local status=0
	"$@" >/dev/null 2>&1 || status=$?
	echo "$status"
}

own_status() {
	equal "$(status_of wherry run busybox true)" 0
	equal "$(status_of wherry run busybox sh -c 'exit 7')" 7
	equal "$(status_of wherry run busybox sh -c 'exit 255')" 255
}

by_signal() {
	equal "$(status_of wherry run busybox sh -c 'kill -KILL $$')" 137
	equal "$(status_of wherry run busybox sh -c 'kill -TERM $$')" 143
	equal "$(status_of wherry run busybox sh -c 'kill -SEGV $$')" 139
}

not_found() {
	fails_with 127 "No such file or directory" wherry run busybox /no/such/program
	fails_with 127 "no-such-program" wherry run busybox no-such-program
}

not_executable() {
	fails_with 126 "Permission denied" wherry run busybox /etc/motd
	fails_with 126 "/etc" wherry run busybox /etc
}

no_interpreter() {
	mkdir "$SCRATCH/bin"
	printf 'echo "plain script $1"\n' >"$SCRATCH/bin/plain"
	printf '#!/no/such/shell\n' >"$SCRATCH/bin/lost"
	chmod 755 "$SCRATCH"/bin/*
	equal "$(wherry run -v "$SCRATCH/bin:/x" busybox /x/plain word)" "plain script word"
	fails_with 127 "/x/lost" wherry run -v "$SCRATCH/bin:/x" busybox /x/lost
}

path_lookup() {
	mkdir "$SCRATCH/path"
	printf '#!/bin/sh\necho found\n' >"$SCRATCH/path/only-here"
	chmod 755 "$SCRATCH/path/only-here"
	equal "$(wherry run -v "$SCRATCH/path:/x" -e PATH=/nowhere:/x busybox only-here)" found
}

options_end() {
	equal "$(wherry run busybox echo -e --rm -v --help)" "--rm -v --help"
	equal "$(wherry run -- busybox echo -n x)" x
}

# docker-run(1): what is so anyway
taken_for_habit() {
	equal "$(wherry run -q --quiet --pull never --pull=missing --restart no --detach=false --sig-proxy \
		--log-driver none --cgroupns private --isolation default --no-healthcheck --expose 80 --expose=81/udp \
		--disable-content-trust --publish-all=false -qi -c 512 busybox cat <<<seen)" seen
	equal "$(wherry run --net host --uts host busybox readlink /proc/self/ns/net)" "$(readlink /proc/self/ns/net)"
	equal "$(wherry run --net=none busybox ls /sys/class/net)" lo
}

# docker-run(1): as Go reads them
truths() {
	local word
	for word in true TRUE True t T 1; do
		fails_with 1 "Read-only" wherry run --read-only=$word --sig-proxy=$word busybox touch /x
		contains "$(wherry run --security-opt no-new-privileges:$word busybox cat /proc/self/status)" \
			$'NoNewPrivs:\t1'
	done
	for word in false FALSE False f F 0; do
		wherry run --read-only=$word --detach=$word --mount type=tmpfs,dst=/t,readonly=$word \
			busybox touch /x /t/x
		contains "$(wherry run --security-opt no-new-privileges=$word busybox cat /proc/self/status)" \
			$'NoNewPrivs:\t0'
	done
	for word in yes tRUE 2 ""; do
		fails_with 125 "--read-only takes true or false, not '$word'" wherry run --read-only=$word busybox true
		fails_with 125 "--detach takes true or false, not '$word'" wherry run --detach=$word busybox true
	done
}

# refuses_word SHOWN HINT OPTION…
refuses_word() {
	local shown=$1 hint=$2
	shift 2
	fails_with 125 "wherry: run: $shown is not to be had" wherry run "$@" busybox true
	fails_with 125 "$hint" wherry run "$@" busybox true
}

refused_with_a_hint() {
	refuses_word --detach "put & behind it" -d
	refuses_word --detach "put & behind it" -itd
	refuses_word "--restart always" "supervises your services" --restart always
	refuses_word "--pull always" "wherry load" --pull=always
	refuses_word "--pull nev" "wherry load" --pull=nev
	refuses_word "--pull " "wherry load" --pull=
	refuses_word --sig-proxy=false "always reach" --sig-proxy=false
	refuses_word "--volumes-from x" "-v gives both" --volumes-from x
	refuses_word "--health-cmd true" "health" --health-cmd true
	for word in "-p 80:80" -p80:80 --publish=80:80; do
		fails_with 125 "--network bridge has one" wherry run $word busybox true
	done
	fails_with 125 "--publish wants an argument" wherry run -p
	fails_with 125 "unknown option --boat" wherry run --boat busybox true
	fails_with 125 "as long as its \`wherry run\`" wherry ps
	fails_with 125 "wherry load takes" wherry pull busybox
	fails_with 125 "wherry --help lists" wherry sto
	# they are those of run alone
	fails_with 125 "unknown option -p" wherry load -p "$SCRATCH/none"
}

separate_outputs() {
	wherry run busybox sh -c 'echo out; echo err >&2' >"$SCRATCH/out" 2>"$SCRATCH/err"
	equal "$(cat "$SCRATCH/out")" out
	equal "$(cat "$SCRATCH/err")" err
}

no_input() {
	equal "$(echo secret | wherry run busybox cat)" ""
	equal "$(echo secret | wherry run busybox readlink /proc/self/fd/0)" /dev/null
}

input() {
	local sum
	head -c 5000000 /dev/urandom >"$SCRATCH/data"
	sum=$(sha256sum <"$SCRATCH/data")
	equal "$(wherry run -i busybox sha256sum <"$SCRATCH/data")" "$sum"
	# a pipe, and its end
	equal "$(cat "$SCRATCH/data" | wherry run -i busybox cat | sha256sum)" "$sum"
}

closed_descriptors() {
	equal "$(wherry run busybox echo still here <&-)" "still here"
	wherry run busybox true >&-
	local status=0
	wherry run busybox sh -c 'exit 3' 2>&- >&- <&- || status=$?
	equal "$status" 3
}

no_descriptors() {
	exec 7</etc/passwd 99</etc/passwd
	wherry run busybox tool -show | grep -qx 'descriptors 0 1 2'
}

clean_signals() {
	local seen
	# bash ignores some in the background, glibc 32 and 33 in what posix_spawn(3) starts.
	seen=$(env --default-signal "$WHERRY" --root "$STORE" --state "$STATE" run busybox cat /proc/self/status)
	contains "$seen" $'SigBlk:\t0000000000000000'
	equal "$(grep ^SigIgn <<<"$seen")" $'SigIgn:\t0000000000000000'
	equal "$(umask 077; wherry run busybox sh -c umask)" 0022
}

# As programs that don't want to wait for theirs start others: the kernel would do away with wherry's children.
ignored_children() {
	local status=0
	env --ignore-signal=CHLD "$WHERRY" --root "$STORE" --state "$STATE" run busybox \
		sh -c 'grep SigIgn /proc/self/status; exit 7' >"$SCRATCH/ignored" 2>&1 || status=$?
	equal "$status" 7
	equal "$(cat "$SCRATCH/ignored")" $'SigIgn:\t0000000000000000'
	env --ignore-signal=CHLD "$WHERRY" --root "$SCRATCH/loaded" load -q "$(image busybox docker)"
}

forwards() {
	local signal
	start signals busybox tool -signals
	for signal in HUP INT QUIT USR1 USR2 WINCH CONT RTMIN+3; do
		kill -"$signal" "$started"
		eventually grep -qx "$(kill -l "$signal")" "$SCRATCH/signals"
	done
	kill -TERM "$started"
	ends "$started" 42
	equal "$(paste -sd ' ' "$SCRATCH/signals")" "ready 1 2 3 10 12 28 18 37 15"
}

# By timeout(1): bash loses a signal that comes to its own child before that has executed the program, under load.
early_signal() {
	local status attempt
	# However early it comes: the program dies of it, or wherry before there is one. Never later.
	for attempt in 1 2 3 4 5 6 7 8 9; do
		status=0
		timeout --foreground --preserve-status -k 20 "0.00$attempt" "$WHERRY" --root "$STORE" --state "$STATE" \
			run busybox tool -hang >"$SCRATCH/early" 2>&1 || status=$?
		equal "$status" 143
	done
}

# What a person at a terminal does: the whole foreground group gets Ctrl-C.
terminal() {
	cat >"$SCRATCH/terminal.py" <<-'END'
	import os, pty, sys
	pid, terminal = pty.fork()
	if pid == 0:
	    os.execv(sys.argv[1], sys.argv[1:])
	seen = b""
	typed = {b"ready": b"\x03", b"2\r\n": b"\x1c"}
	while typed:
	    seen += os.read(terminal, 1000)
	    for wanted in [w for w in typed if w in seen]:
	        os.write(terminal, typed.pop(wanted))
	while b"3\r\n" not in seen:
	    seen += os.read(terminal, 1000)
	os.kill(pid, 15)
	print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
	equal "$(timeout "$PATIENCE" python3 "$SCRATCH/terminal.py" "$WHERRY" --root "$STORE" --state "$STATE" run busybox tool -signals)" 42
}

# Nobody reads what wherry passes on from the container's terminal: that is no signal to the program.
broken_pipe() {
	mkdir -p "$SCRATCH/pipe"
	wherry run -t -v "$SCRATCH/pipe:/pipe" busybox \
		sh -c 'trap "echo PIPE >/pipe/got" PIPE; for n in 1 2 3 4 5; do echo line; sleep 0.1; done; echo end >/pipe/end' | true
	eventually test -e "$SCRATCH/pipe/end"
	[ ! -e "$SCRATCH/pipe/got" ]
}

# Output that nobody reads is waited for, but a second request to end is heard.
stuck_reader() {
	local pid
	mkfifo "$SCRATCH/stuck"
	exec 7<>"$SCRATCH/stuck"
	"$WHERRY" --root "$STORE" --state "$STATE" run -t busybox sh -c 'yes & sleep 0.5; kill -TERM 1; wait' >&7 2>&1 &
	pid=$!
	has_ended() { [ -e "/proc/$pid" ] && [ -z "$(inside "$pid" wherry-init)" ]; }
	eventually eval '[ -n "$(inside $pid wherry-init)" ]'
	eventually has_ended
	sleep 0.5
	kill -0 "$pid"
	kill -TERM "$pid"
	is_gone() { ! kill -0 "$pid"; }
	eventually is_gone
	ends "$pid" 143
}

# As inits do that open /dev/console for each line of theirs.
console_again() {
	local again='exec 0<&- 1>&- 2>&-; sleep 0.3; exec >/dev/console; echo again'
	equal "$(wherry run -t --no-init busybox sh -c "$again" | tr -d '\r')" again
	timeout -k 5 "$PATIENCE" python3 "$TOP/tests/lib/detach.py" "$WHERRY" --root "$STORE" --state "$STATE" \
		run -it --no-init busybox sh -c "$again" <<-'END'
		see again
		exit 0
	END
}

# shell: who sits at the terminal of a shell, in which `run` is wherry run, does what standard input says.
shell() {
	printf 'run() { %q --root %q --state %q run "$@"; }\nPS1="job> "\n' "$WHERRY" "$STORE" "$STATE" >"$SCRATCH/rc"
	timeout -k 5 "$PATIENCE" python3 "$TOP/tests/lib/detach.py" bash --noediting --rcfile "$SCRATCH/rc" -i
}

ECHOES='echo up; while read x; do echo "<$x>"; done'

stops_with_its_job() {
	shell <<-END
		see job>
		type run -i busybox sh -c '$ECHOES'\n
		see \nup
		type \x1a
		see Stopped
		see job>
		type echo shell\n
		see \nshell
		type fg\n
		type again\n
		see <again>
		type \x04
		see job>
		type exit 3\n
		exit 3
	END
}

# Its program would read what is typed to the shell.
waits_with_input() {
	shell <<-END
		see job>
		type run -i busybox sh -c '$ECHOES' &\n
		see job>
		run sleep 1
		type jobs\n
		see Stopped
		run ! pgrep -x wherry-init
		type fg\n
		see \nup
		type again\n
		see <again>
		type \x1a
		see Stopped
		see job>
		type bg\n
		see job>
		run sleep 0.5
		type jobs\n
		see Stopped
		see job>
		type echo shell\n
		see \nshell
		not <echo
		type fg\n
		type once more\n
		see <once more>
		type \x04
		see job>
		type run -i busybox sh -c '$ECHOES' &\n
		see job>
		run sleep 1
		type kill %1\n
		see job>
		type wait; ls -A $STATE | wc -l\n
		see \n0
		type exit 3\n
		exit 3
	END
}

# Who leads a session has no shell that could continue it: there the kernel stops nobody.
stops_for_nobody() {
	timeout -k 5 "$PATIENCE" python3 "$TOP/tests/lib/detach.py" "$WHERRY" --root "$STORE" --state "$STATE" \
		run -i busybox sh -c "$ECHOES" <<-'END'
		see up
		type \x1a
		type again\n
		see <again>
		type \x04
		exit 0
	END
}

# The terminal is the shell's until the job is in front: with a front of launcher/supervise/front.h and without.
waits_in_background() {
	local keys
	for keys in ctrl-p,ctrl-q ''; do
		shell <<-END
			see job>
			type run -it --detach-keys '$keys' busybox sh -c '$ECHOES' &\n
			see job>
			run sleep 1
			cooked
			type jobs\n
			see Stopped
			cooked
			type fg\n
			see up
			raw
			type again\r
			see <again>
			type \x04
			see job>
			cooked
			type exit 3\n
			exit 3
		END
	done
}

# dash leaves the terminal to itself, and timeout(1) makes a group of its own: SIGTERM and SIGCONT come to a stopped job.
ends_in_background() {
	local keys status
	for keys in ctrl-p,ctrl-q ''; do
		status=0
		SHELL=/bin/sh timeout -k 5 "$PATIENCE" script -qec "timeout -k 5 1 $WHERRY --root $STORE --state $STATE run -it \
			--detach-keys '$keys' busybox sleep 60; exit \$?" /dev/null >/dev/null || status=$?
		equal "$status" 124
		equal "$(ls -A "$STATE")" ""
	done
}

# Without -t: else it could type into it (TIOCSTI).
no_terminal() {
	equal "$(timeout "$PATIENCE" script -qec "$WHERRY --root $STORE --state $STATE run busybox sh -c 'echo x >/dev/tty'; echo status \$?" /dev/null |
		tr -d '\r' | tail -n 1)" "status 1"
	equal "$(timeout "$PATIENCE" script -qec "$WHERRY --root $STORE --state $STATE run busybox sh -c 'cut -d \" \" -f 7 /proc/self/stat'" /dev/null |
		tr -d '\r')" 0
}

reaps() {
	equal "$(wherry run busybox sh -c '(sleep 0 & sleep 0 &); sleep 0.3; ps -o stat | grep -c Z')" 0
}

ends_with_program() {
	SECONDS=0
	equal "$(wherry run busybox sh -c 'sleep 50 & echo done')" "done"
	[ "$SECONDS" -lt 20 ]
}

names() {
	start named --name "boat$ID" busybox sh -c 'hostname; exec tool -hang'
	fails_with 125 "boat" wherry run --name "boat$ID" busybox true
	kill "$started"
	ends "$started" 143
	equal "$(wherry run --rm --name "boat$ID" busybox echo again)" again
	fails_with 125 "a/b" wherry run --name a/b busybox true
}

two_at_once() {
	start one busybox sh -c 'echo $$; exec tool -hang'
	local first=$started
	start two busybox sh -c 'echo $$; exec tool -hang'
	kill "$first" "$started"
	ends "$first" 143
	ends "$started" 143
}

help() {
	local said word
	said=$(wherry run --help)
	for word in --env --env-file --workdir --user --volume --tmpfs --memory --memory-swap --cpus \
		--pids-limit --hostname --entrypoint --read-only --overlay --network --name --rm --interactive; do
		contains "$said" "$word"
	done
	for word in load run images rmi version; do
		contains "$(wherry --help)" "$word"
		contains "$(wherry "$word" --help)" "Usage: wherry $word"
	done
	contains "$(wherry volume --help)" "volume rm"
	contains "$(wherry volume ls --help)" "Usage: wherry volume ls"
	fails_with 125 "unknown command volume list-all" wherry volume list-all
	# a line of help is a line of the screen
	[ "$(wc -L <<<"$said")" -le 100 ]
}

version() { [[ $(wherry version) == wherry* ]]; }

it "runs a program with its arguments as they are" hello
it "runs the image's Cmd where no program is named" cmd
it "exits with the program's status" own_status
it "exits with 128 and the signal's number where a signal ended it" by_signal
it "exits 127 where there is no such program" not_found
it "exits 126 where the program cannot be executed" not_executable
it "runs a script without #! by sh, and names one whose interpreter is missing" no_interpreter
it "looks programs up in the container's PATH" path_lookup
it "leaves the words behind the image alone" options_end
it "takes docker's options where they ask for what is so anyway" taken_for_habit
it "takes true and false in docker's words" truths
it "says of docker's others what there is instead" refused_with_a_hint
it "keeps output and errors apart" separate_outputs
it "gives no standard input without -i" no_input
it "passes standard input and its end with -i" input
it "works when standard descriptors are closed" closed_descriptors
it "passes no descriptor but 0, 1 and 2" no_descriptors
it "starts the program with no signal blocked or ignored, and umask 022" clean_signals
it "waits for its children where SIGCHLD is inherited as ignored" ignored_children
it "forwards signals to the program" forwards
it "sends no SIGPIPE of its own to the program" broken_pipe
it "ends, when asked to, although nobody reads its output" stuck_reader
it "shows what comes to the terminal after everybody has closed it" console_again
it "stops with the program at Ctrl-Z, and goes on with it" stops_with_its_job
it "lets its program read nothing in the background, with -i" waits_with_input
it "ignores Ctrl-Z where no shell could continue it" stops_for_nobody
it "leaves the terminal alone in the background" waits_in_background
it "ends in the background when it is asked to" ends_in_background
it "loses no signal that comes early" early_signal
it "passes Ctrl-C and Ctrl-\\ of a terminal on" terminal
it "keeps the caller's terminal from being the program's own" no_terminal
it "leaves no zombies" reaps
it "ends when the program does, whatever else still runs" ends_with_program
it "refuses a name that is in use, and frees it at the end" names
it "runs two containers of one image at once" two_at_once
it "has help for every command" help
it "says its version" version
finish_clean

#!/bin/bash
# The behaviour table of PID 1 in a container: a case for each thing that it promises. `make bench` runs
# the same table against other inits: FLAVOR is the name of one and INIT its path.
. "$(dirname "$0")/../lib/lib.sh"

if [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # SKIP a PID namespace needs root"
	exit 0
fi

FLAVOR=${FLAVOR:-wherry-init}
INIT=${INIT:-$WHERRY_INIT}
PROBE=$BUILD/tests/init/probe
TTY="python3 $TOP/tests/init/on_tty.py"
LIMIT=${LIMIT:-$PATIENCE}

# feature NAME: the options that ask this init for something; what it hasn't fails the case.
feature() {
	case $FLAVOR:$1 in
	wherry-init:*) printf -- '--%s\n' "$@" ;;
	tini:group | catatonit:group) echo -g ;;
	tini:subreaper) echo -s ;;
	'tini:pdeathsig=KILL') printf '%s\n' -p SIGKILL ;;
	tini:remap=143:0) printf '%s\n' -e 143 ;;
	dumb-init:group) ;;
	dumb-init:rewrite=TERM:QUIT) printf '%s\n' -r 15:3 ;;
	dumb-init:rewrite=TERM:0) printf '%s\n' -r 15:0 ;;
	*) echo "$FLAVOR: no $1" >&2; return 1 ;;
	esac
}

# pid1 …: as PID 1 of a namespace of its own.
pid1() {
	timeout -k 1 "$LIMIT" unshare --pid --fork --mount-proc --kill-child "$@"
}

# start_pid1 COMMAND…: in the background; $outer is to be waited for, $pid what became PID 1. What it
# prints is in $SCRATCH/out and err.
start_pid1() {
	: >"$SCRATCH/out"
	unshare --pid --fork --mount-proc --kill-child "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" &
	outer=$!
	eventually started
	pid=$(first_child "$outer") || pid=
}

# Or over already.
started() { first_child "$outer" || gone "$outer" || [ "$(state "$outer")" = Z ]; }

first_child() {
	local children
	children=$(cat "/proc/$1/task/$1/children" 2>/dev/null) || return 1
	[ -n "$children" ] && echo "${children%% *}"
}

says() { grep -qxF -e "$1" "$SCRATCH/${2:-out}"; }
lines() { [ "$(wc -l <"$SCRATCH/out")" -ge "$1" ]; }
gone() { [ ! -e "/proc/$1" ]; }

# ends STATUS: so does what start_pid1 started, within $LIMIT.
ends() {
	local status=0 n=$((LIMIT * 20))
	while ! gone "$outer" && [ "$(state "$outer")" != Z ] && [ $((n -= 1)) -gt 0 ]; do sleep 0.05; done
	[ "$n" -gt 0 ] || kill -9 "$outer"
	wait "$outer" || status=$?
	equal "$status" "$1"
}

state() { sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null; }
is() { equal "$(state "$1")" "$2"; }

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# ---- 1. Signals

# KILL and STOP cannot be forwarded by anyone.
forwards_every_signal() {
	local sig got wanted=ready
	start_pid1 "$INIT" -- "$PROBE" catch 62
	eventually says ready
	for sig in {1..64}; do
		case $sig in 9 | 19) continue ;; esac
		kill -"$sig" "$pid"
		wanted+=" $sig"
		eventually lines "$(wc -w <<<"$wanted")" || break
	done
	got=$(cut -d' ' -f1 "$SCRATCH/out" | xargs)
	kill -9 "$outer" 2>/dev/null || [ "$got" = "$wanted" ]
	equal "$got" "$wanted"
}

forwards_values() {
	start_pid1 "$INIT" -- "$PROBE" catch 2
	eventually says ready
	"$PROBE" queue "$pid" 15 4711 1
	"$PROBE" queue "$pid" 34 -5 1
	ends 0
	equal "$(sort "$SCRATCH/out" | xargs)" '15 -1 4711 34 -1 -5 ready'
}

keeps_its_own_sigchld() {
	start_pid1 "$INIT" -- sh -c "(sh -c 'sleep 0.1; touch $SCRATCH/orphan' &); exec '$PROBE' catch 1"
	eventually says ready
	eventually test -e "$SCRATCH/orphan"
	eventually sole_child
	kill -USR1 "$pid"
	ends 0
	equal "$(sed 1d "$SCRATCH/out" | cut -d' ' -f1)" 10
}

dies_of_its_own_fault() {
	start_pid1 "$INIT" -- sleep 1000
	eventually first_child "$pid"
	"$PROBE" crash "$pid"
	eventually gone "$pid"
}

# ---- 2. No signal is lost

keeps_what_is_pending() {
	start_pid1 "$PROBE" as ^12 -- "$INIT" -- "$PROBE" catch 1
	ends 0
	equal "$(tail -n 1 "$SCRATCH/out" | cut -d' ' -f1)" 12
}

keeps_what_comes_early() {
	local round
	for round in {1..20}; do
		timeout -k 1 "$LIMIT" "$PROBE" early 50 "$INIT" -- "$PROBE" catch 50 >"$SCRATCH/out"
		equal "$(sed 1d "$SCRATCH/out" | xargs)" "$(printf '40 -1 %d\n' {0..49} | xargs)" ||
			{ echo "in round $round"; return 1; }
	done
}

keeps_signals_in_a_storm() {
	start_pid1 "$INIT" -- sh -c "'$PROBE' orphans 2000 & exec '$PROBE' catch 300"
	eventually says ready
	"$PROBE" queue "$pid" 50 0 300
	ends 0
	equal "$(sed 1d "$SCRATCH/out" | xargs)" "$(printf '50 -1 %d\n' {0..299} | xargs)"
}

# ---- 3. What the program gets

passes_mask_and_dispositions() {
	local how=(+10 +40 +33 -1 -17 -13 -45)
	equal "$(timeout -k 1 "$LIMIT" "$PROBE" as "${how[@]}" -- "$INIT" -- grep -E '^Sig(Blk|Ign)' /proc/self/status)" \
		"$("$PROBE" as "${how[@]}" -- grep -E '^Sig(Blk|Ign)' /proc/self/status)"
}

passes_argv_and_environment() {
	local words=(cat /proc/self/cmdline /proc/self/environ - 'a b' '' $'new\nline' --grace)
	equal "$(env -i B=2 'A=x y' PATH="$PATH" "$INIT" -- "${words[@]}" 2>&1 </dev/null | tr '\0' '|')" \
		"$(env -i B=2 'A=x y' PATH="$PATH" "${words[@]}" 2>&1 </dev/null | tr '\0' '|')"
}

passes_descriptors_and_directory() {
	local show='pwd; cd /proc/self/fd; for n in *; do [ ! -e $n ] || echo $n $(readlink $n); done'
	cd /usr/bin
	equal "$("$INIT" -- bash -c "$show" 8</etc/passwd 2>&1 | sed 's/pipe:.*/pipe/')" \
		"$(bash -c "$show" 8</etc/passwd 2>&1 | sed 's/pipe:.*/pipe/')"
}

holds_no_descriptors() {
	start_pid1 "$INIT" -- sleep 1000 8</etc/passwd
	eventually program_runs sleep
	equal "$(ls -v "/proc/$pid/fd" | xargs)" '0 1 2'
	kill -9 "$outer"
}

program_runs() { equal "$(cat "/proc/$(first_child "$pid")/comm")" "$1"; }

works_without_descriptors() {
	local status=0 closed
	for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
		status=0
		eval '"$INIT" -- sh -c "[ ! -e /proc/self/fd/9 ] && exit 5"' "$closed" || status=$?
		equal "$status" 5
		eval '"$INIT" -- "$SCRATCH/fds"' "$closed"
		equal "$(<"$SCRATCH/fds.out")" "$(eval '"$SCRATCH/fds"' "$closed"; cat "$SCRATCH/fds.out")"
	done
}

fds_script() {
	cat >"$SCRATCH/fds" <<-END
	#!/bin/sh
	for n in 0 1 2 3 4 5; do [ -e /proc/\$\$/fd/\$n ] && echo \$n \$(readlink /proc/\$\$/fd/\$n); done >$SCRATCH/fds.new 9>&-
	mv $SCRATCH/fds.new $SCRATCH/fds.out
	END
	chmod 755 "$SCRATCH/fds"
}
fds_script

lets_go_of_its_directory() {
	mkdir -p "$SCRATCH/mounted"
	mount -t tmpfs none "$SCRATCH/mounted"
	(cd "$SCRATCH/mounted" && exec "$INIT" -- sh -c 'cd / && exec sleep 1000') &
	pid=$!
	eventually program_runs sleep
	umount "$SCRATCH/mounted" || { umount -l "$SCRATCH/mounted"; kill -9 "$pid"; return 1; }
	kill "$(first_child "$pid")"
	wait "$pid" || true
}

# ---- 4. Children

no_zombies() { [ "$(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l)" -eq 0 ]; }

reaps_older_children() {
	start_pid1 "$PROBE" older 5 "$INIT" -- "$PROBE" catch 1
	eventually says ready
	eventually no_zombies_below
	kill -USR1 "$pid"
	ends 0
}

no_zombies_below() {
	local child
	for child in $(cat "/proc/$pid/task/$pid/children"); do
		[ "$(state "$child")" != Z ] || return 1
	done
}

reaps_orphans() {
	start_pid1 "$INIT" -- sh -c '(sh -c "sleep 0.1 & exit" & exit); echo ready; exec sleep 1000'
	eventually says ready
	eventually sole_child
	kill -9 "$outer"
}

sole_child() { [ "$(wc -w <"/proc/$pid/task/$pid/children")" -eq 1 ]; }

reaps_20000_at_once() {
	local max
	max=$(cat /proc/sys/kernel/pid_max)
	[ "$max" -gt 25000 ] || { echo "pid_max is $max"; return 1; }
	start_pid1 "$INIT" -- sh -c "'$PROBE' orphans 20000 && echo ready; exec sleep 1000"
	eventually_longer says ready
	eventually_longer sole_child
	kill -9 "$outer"
}

eventually_longer() {
	local n=0
	until "$@"; do [ $((n += 1)) -lt 1200 ]; sleep 0.05; done
}

works_with_sigchld_ignored() {
	local status=0
	timeout -k 1 "$LIMIT" "$PROBE" as -17 -- "$INIT" -- sh -c 'sleep 0.1; exit 9' || status=$?
	equal "$status" 9
}

# ---- 5. The exit status

passes_the_status() {
	local status wanted
	for wanted in 0 1 42 255; do
		status=0
		pid1 "$INIT" -- sh -c "exit $wanted" || status=$?
		equal "$status" "$wanted"
	done
}

adds_128_to_a_signal() {
	local status sig
	for sig in 1 6 9 15 34 64; do
		status=0
		pid1 "$INIT" -- sh -c "ulimit -c 0; kill -$sig \$\$" || status=$?
		equal "$status" $((128 + sig))
	done
}

says_not_found() {
	fails_with 127 'no-such-program: No such file or directory' pid1 "$INIT" -- no-such-program
	fails_with 127 '/no/such: No such file or directory' pid1 "$INIT" -- /no/such
}

says_not_executable() {
	echo x >"$SCRATCH/plain"
	printf '\177ELF nonsense' >"$SCRATCH/broken"
	chmod 755 "$SCRATCH/broken"
	fails_with 126 "$SCRATCH/plain: Permission denied" pid1 "$INIT" -- "$SCRATCH/plain"
	fails_with 126 "$SCRATCH: Permission denied" pid1 "$INIT" -- "$SCRATCH"
	fails_with 126 'plain: Permission denied' env PATH="$SCRATCH:/usr/bin:/bin" "$INIT" -- plain
	fails_with 126 "$SCRATCH/plain/x: Not a directory" pid1 "$INIT" -- "$SCRATCH/plain/x"
}

# A shell would take another processor's program for commands: here, and in what a shell does itself, they are not run.
runs_no_nonsense() {
	local line
	line=$(printf '#!/%0300d' 1)
	for said in '\177ELF' '\177ELF\necho run\n' 'echo run\n\0' '' "$line\necho run\n" 'MZ\220\0\necho run\n'; do
		printf "$said" >"$SCRATCH/nonsense"
		chmod 755 "$SCRATCH/nonsense"
		fails_with 126 "$SCRATCH/nonsense: Exec format error" pid1 "$INIT" -- "$SCRATCH/nonsense"
		fails_with 126 "nonsense: Exec format error" env PATH="$SCRATCH:/usr/bin:/bin" "$INIT" -- nonsense
		lacks "$(pid1 "$INIT" -- "$SCRATCH/nonsense" 2>&1 || true)" run
	done
	# as they are without #!: a comment first, a NUL late, one byte, a block and a byte
	{ echo '# a comment'; echo 'echo run'; printf '#%0300d\nexit\n\0' 1; } >"$SCRATCH/nonsense"
	equal "$(pid1 "$INIT" -- "$SCRATCH/nonsense")" run
	for number in 254 255 256 257; do
		printf 'echo %0*d' "$((number - 5))" 7 >"$SCRATCH/nonsense"
		equal "$(pid1 "$INIT" -- "$SCRATCH/nonsense")" "$(printf '%0*d' "$((number - 5))" 7)"
	done
}

runs_a_script_without_interpreter() {
	printf 'echo "script $0 $1"; exit 4\n' >"$SCRATCH/script"
	chmod 755 "$SCRATCH/script"
	local status=0 said
	said=$(PATH=$SCRATCH:$PATH "$INIT" -- script 'a b') || status=$?
	equal "$status $said" "4 script $SCRATCH/script a b"
}

remaps_the_status() {
	local options status=0
	options=$(feature remap=143:0)
	pid1 "$INIT" $options -- sh -c 'kill $$' || status=$?
	equal "$status" 0
	options=$(feature remap=3:4)
	pid1 "$INIT" $options $(feature remap=5:255) -- sh -c 'exit 5' || status=$?
	equal "$status" 255
}

rewrites_signals() {
	local options
	options=$(feature rewrite=TERM:QUIT)
	start_pid1 "$INIT" $options -- "$PROBE" catch 1
	eventually says ready
	kill -TERM "$pid"
	ends 0
	equal "$(tail -n 1 "$SCRATCH/out" | cut -d' ' -f1)" 3
}

rewrites_by_number_and_drops() {
	local options
	options="$(feature rewrite=15:0) $(feature rewrite=SIGUSR1:RTMIN+3) $(feature rewrite=64:62)"
	start_pid1 "$INIT" $options -- "$PROBE" catch 2
	eventually says ready
	kill -TERM "$pid"
	kill -USR1 "$pid"
	kill -64 "$pid"
	ends 0
	equal "$(sed 1d "$SCRATCH/out" | cut -d' ' -f1 | sort -n | xargs)" '37 62'
}

# ---- 6. The drain

# left …: the program leaves this behind, waits for it to be ready, and exits with 6.
leaves() {
	echo "$* >$SCRATCH/ready & until grep -q ready $SCRATCH/ready; do sleep 0.02; done; exit 6"
}

drains_with_term() {
	local options
	options=$(feature grace=20m)
	rm -f "$SCRATCH/log" "$SCRATCH/ready"
	start_pid1 "$INIT" $options -- sh -c "$(leaves "$PROBE" term "$SCRATCH/log" one)"
	ends 6
	equal "$(<"$SCRATCH/log")" one
}

drains_what_is_stopped() {
	local options
	options=$(feature grace=20m)
	rm -f "$SCRATCH/log" "$SCRATCH/ready"
	start_pid1 "$INIT" $options -- sh -c "'$PROBE' term '$SCRATCH/log' one >'$SCRATCH/ready' & \
		until grep -q ready '$SCRATCH/ready'; do sleep 0.02; done; kill -STOP \$!; exit 6"
	ends 6
	equal "$(<"$SCRATCH/log")" one
}

ends_when_the_last_is_gone() {
	local options begin
	options=$(feature grace=20m)
	rm -f "$SCRATCH/log" "$SCRATCH/ready"
	begin=$(milliseconds)
	start_pid1 "$INIT" $options -- sh -c "$(leaves "$PROBE" term "$SCRATCH/log" late 500)"
	ends 6
	equal "$(<"$SCRATCH/log")" late
	[ $(($(milliseconds) - begin)) -lt $((LIMIT * 1000)) ]
}

# A process that has entered from outside is not init's child; its end is noticed all the same.
waits_for_strangers() {
	local options
	options=$(feature grace=20m)
	rm -f "$SCRATCH/log" "$SCRATCH/ready" "$SCRATCH/go"
	start_pid1 "$INIT" $options -- sh -c "until [ -e $SCRATCH/go ]; do sleep 0.02; done; exit 6"
	nsenter --target "$pid" --pid "$PROBE" term "$SCRATCH/log" stranger 300 >"$SCRATCH/ready" &
	eventually grep -q ready "$SCRATCH/ready"
	touch "$SCRATCH/go"
	ends 6
	equal "$(<"$SCRATCH/log")" stranger
}

kills_after_the_grace() {
	local options begin taken
	options=$(feature grace=700ms)
	begin=$(milliseconds)
	start_pid1 "$INIT" $options -- sh -c 'sh -c "trap : TERM; while :; do sleep 1; done" & sleep 0.2; exit 6'
	ends 6
	taken=$(($(milliseconds) - begin))
	[ "$taken" -ge 700 ] && [ "$taken" -lt $((LIMIT * 1000)) ]
}

kills_at_once_by_default() {
	start_pid1 "$INIT" -- sh -c 'trap "" TERM; sleep 1000 & exit 6'
	ends 6
}

drains_on_the_stop_signal() {
	local options
	options="$(feature grace=20m) $(feature stop-signal=USR1)"
	rm -f "$SCRATCH/log" "$SCRATCH/ready"
	start_pid1 "$INIT" $options -- sh -c "'$PROBE' term '$SCRATCH/log' term >'$SCRATCH/ready' & \
		trap 'echo usr1' USR1; trap 'echo no' TERM; wait \$!; wait \$!; echo left; exit 8"
	eventually grep -q ready "$SCRATCH/ready"
	kill -USR1 "$pid"
	ends 8
	equal "$(<"$SCRATCH/log") $(xargs <"$SCRATCH/out")" 'term usr1 left'
}

kills_a_program_that_will_not_stop() {
	local options
	options=$(feature grace=500ms)
	start_pid1 "$INIT" $options -- sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done'
	eventually says ready
	kill -TERM "$pid"
	ends 137
}

# Neither a process that isn't a descendant nor its children.
drains_as_a_subreaper() {
	local options status=0 other
	options="$(feature grace=20m) $(feature subreaper)"
	rm -f "$SCRATCH/log" "$SCRATCH/ready"
	sleep 1000 &
	other=$!
	timeout -k 1 "$LIMIT" "$INIT" $options -- sh -c "(setsid sh -c \"exec '$PROBE' term '$SCRATCH/log' one >'$SCRATCH/ready'\" &); \
		until grep -q ready '$SCRATCH/ready'; do sleep 0.02; done; exit 6" || status=$?
	equal "$status $(<"$SCRATCH/log")" '6 one'
	is "$other" S
	kill "$other"
}

kills_as_a_subreaper() {
	local options status=0
	options="$(feature grace=300ms) $(feature subreaper)"
	rm -f "$SCRATCH/pid"
	timeout -k 1 "$LIMIT" "$INIT" $options -- sh -c 'setsid sh -c "trap \"\" TERM; echo \$\$; exec sleep 1000" >'"$SCRATCH/pid"' &
		until [ -s '"$SCRATCH/pid"' ]; do sleep 0.02; done; exit 6' || status=$?
	equal "$status" 6
	eventually gone "$(<"$SCRATCH/pid")"
}

# ---- 7. Groups and parents

signals_the_program_alone() {
	start_pid1 "$INIT" $([ "$FLAVOR" != dumb-init ] || echo -c) -- sh -c "'$PROBE' term '$SCRATCH/none' child & echo \$!; exec '$PROBE' catch 1"
	eventually lines 3
	rm -f "$SCRATCH/none"
	kill -TERM "$pid"
	ends 0
	[ ! -e "$SCRATCH/none" ]
}

signals_the_group() {
	local options
	options=$(feature group)
	rm -f "$SCRATCH/log" "$SCRATCH/ready"
	start_pid1 "$INIT" $options -- sh -c "'$PROBE' term '$SCRATCH/log' child >'$SCRATCH/ready' & exec '$PROBE' catch 2"
	eventually says ready
	eventually grep -q ready "$SCRATCH/ready"
	kill -TERM "$pid"
	ends 0 # the second is the child's SIGCHLD
	equal "$(<"$SCRATCH/log")" child
}

dies_with_its_parent() {
	local options
	options=$(feature pdeathsig=KILL)
	rm -f "$SCRATCH/pid"
	sh -c "'$INIT' $(xargs <<<"$options") -- sleep 1000 & echo \$! >'$SCRATCH/pid'; exec sleep 1000" &
	outer=$!
	eventually test -s "$SCRATCH/pid"
	pid=$(<"$SCRATCH/pid")
	eventually program_runs sleep
	kill -9 "$outer"
	eventually gone "$pid"
}

# What has left its session, stopped itself, or ignores all that can be ignored.
takes_the_rest_along() {
	local options rest
	options="$(feature pdeathsig=KILL) $(feature subreaper) $(feature grace=60s)"
	rm -f "$SCRATCH/pid" "$SCRATCH/out"
	cat >"$SCRATCH/family" <<-'END'
		trap '' TERM HUP
		setsid sh -c 'sleep 1000 & echo $!; echo $$; kill -STOP $$' &
		while :; do sleep 1000; done
	END
	sh -c "'$INIT' $(xargs <<<"$options") -- sh '$SCRATCH/family' >'$SCRATCH/out' & echo \$! >'$SCRATCH/pid'; exec sleep 1000" &
	outer=$!
	eventually lines 2
	rest="$(<"$SCRATCH/pid") $(<"$SCRATCH/out")"
	kill -9 "$outer"
	for pid in $rest; do eventually gone "$pid"; done
}

# ---- 8. Terminals

# As a container's: init leads the session.
hands_over_the_terminal() {
	ON_TTY="$INIT -- bash --norc --noprofile --noediting -i" $TTY '=$ ' \
		'ps -o pid=,sid=,tty= $$ | awk "{ print (\$1 == \$2) \" \" (\$3 ~ /pts/) }"' '=1 1' \
		"sh -c 'echo it-runs-\$((1 + 1)); exec cat'" =it-runs-2 '^Z' =Stopped fg hello =hello =hello '^C' '=$ ' 'exit 0' >"$SCRATCH/shown"
	lacks "$(<"$SCRATCH/shown")" 'job control'
}

# With the HUP that leaving the terminal causes swallowed, but not one that came before.
keeps_a_real_hup() {
	ON_TTY="$PROBE as ^1 -- $INIT -- $PROBE catch 1" $TTY =ready '=1 ' >"$SCRATCH/shown"
}

# The first signal that this program sees is the one of Ctrl-C.
swallows_its_own_hup() {
	ON_TTY="$INIT -- $PROBE catch 1" $TTY =ready '^C' '=2 128 '
}

# A program that doesn't care about Ctrl-Z has nobody to continue it, so nothing stops.
is_not_wedged_by_ctrl_z() {
	ON_TTY="$INIT -- sh -c 'echo it-runs-$((1 + 1)); while read line; do echo got-\$line; done'" \
		$TTY =it-runs-2 '^Z' one =got-one '^D' >"$SCRATCH/shown" 2>&1
}

stops_and_continues_as_a_job() {
	$TTY '=$ ' "$INIT -- sh -c 'echo it-runs-\$((1 + 1)); exec cat'" =it-runs-2 '^Z' =Stopped 'echo still-$((1 + 1))' =still-2 fg hello =hello =hello '^C' '=$ ' 'exit 0'
}

stops_and_continues_as_pid1() {
	$TTY '=$ ' "unshare --pid --fork $INIT -- sh -c 'echo it-runs-\$((1 + 1)); exec cat'" =it-runs-2 '^Z' =Stopped 'echo still-$((1 + 1))' =still-2 fg hello =hello =hello '^D' '=$ ' 'exit 0'
}

gives_the_foreground_back() {
	$TTY '=$ ' "sh -c '$INIT -- true; read line; echo read-\$line'" word =read-word 'exit 0'
}

leaves_the_terminal_alone() {
	$TTY '=$ ' "$INIT -- sh -c 'sleep 0.2; exec cat' &" 'echo mine-$((1 + 1))' =mine-2 'sleep 0.5; jobs' =Stopped \
		'fg' word =word =word '^C' '=$ ' 'exit 0'
}

keeps_the_session_without_a_terminal() {
	setsid "$INIT" -- sh -c 'echo $(ps -o sid= $$) $(ps -o sid= $PPID)' >"$SCRATCH/out" </dev/null
	local sids
	read -ra sids <"$SCRATCH/out"
	equal "${sids[0]}" "${sids[1]}"
}

# ---- 9. How the program ended

# report COMMAND…: the records, one a line: kind and value; a pid reads as P
report() {
	local options status=0
	options=$(feature report-fd=7)
	"$INIT" $options -- "$@" 7>"$SCRATCH/report" 2>"$SCRATCH/err" >"$SCRATCH/out" || status=$?
	echo "$status: $(od -An -v -t d4 -w8 "$SCRATCH/report" | awk '{ print $1, $1 == 3 ? "P" : $2 }' | xargs)"
}

reports_the_end() {
	equal "$(report sh -c 'exit 137')" '137: 3 P 5 137'
	equal "$(report sh -c 'kill -9 $$')" '137: 3 P 6 9'
	equal "$(report /no/such)" '127: 2 2'
	equal "$(<"$SCRATCH/err")" ''
	equal "$(report "$SCRATCH")" '126: 2 13'
	equal "$(report sh -c 'ls /proc/self/fd | xargs')" '0: 3 P 5 0'
	lacks "$(<"$SCRATCH/out")" 7
}

# Where nobody may write a core dump, and none is piped away (core(5)), it is a signal like any other.
reports_a_core_dump() {
	local kind=7
	cd "$SCRATCH"
	ulimit -Sc "$(ulimit -Hc)"
	[ "$(ulimit -Sc)" != 0 ] || grep -q '^|' /proc/sys/kernel/core_pattern || kind=6
	equal "$(report sh -c 'kill -SEGV $$')" "139: 3 P $kind 11"
}

reports_stops() {
	local options
	options=$(feature report-fd=7)
	"$INIT" $options -- sh -c 'kill -STOP $$; exit 2' 7>"$SCRATCH/report" &
	pid=$!
	eventually reported 4
	kill -CONT "$pid"
	local status=0
	wait "$pid" || status=$?
	equal "$status" 2
	equal "$(od -An -v -t d4 -w8 "$SCRATCH/report" | awk '{ print $1 }' | xargs)" '3 4 5'
}

reported() { od -An -v -t d4 -w8 "$SCRATCH/report" | grep -q "^ *$1 "; }

# ---- 10. Options

options_end_at_the_first_word() {
	equal "$("$INIT" sh -c 'echo "$@"' sh -x -- --group)" '-x -- --group'
	equal "$("$INIT" -- sh -c 'echo "$@"' sh --help)" '--help'
}

refuses_bad_options() {
	local bad
	for bad in -x --no-such --grace --grace=soon --grace=1x --stop-signal=NONE --stop-signal=SIG \
		--stop-signal=65 --stop-signal=0 --rewrite=TERM --rewrite=TERM:NONE --remap=1 --remap=256:0 --remap=1:999 \
		--pdeathsig= --report-fd=x --group=1 --on-exit=halt --user=root; do
		fails_with 125 'wherry-init: ' "$INIT" "$bad" true
		fails_with 125 "${bad%%=*}" "$INIT" "$bad" 
	done
	equal "$("$INIT" --nonsense true 2>&1 | wc -l)" 1
	fails_with 125 'no program' "$INIT" --group
}

prints_help_and_version() {
	contains "$("$INIT" --help)" '--stop-signal SIGNAL'
	contains "$("$INIT" --version)" 'wherry-init '
	[ -r "$TOP/init/wherry-init.1" ]
	local option
	for option in $("$INIT" --help | sed -n 's/^\(--[a-z-]*\).*/\1/p'); do
		grep -qF -e "${option//-/\\-}" "$TOP/init/wherry-init.1" ||
			{ echo "$option is not in wherry-init.1"; return 1; }
	done
}

# ---- 11. Out of memory

protects_itself() {
	local options
	options=$(feature oom-score-adj=300)
	start_pid1 sh -c "echo 100 >/proc/self/oom_score_adj; exec '$INIT' $options -- sleep 1000"
	eventually program_runs sleep
	equal "$(cat "/proc/$pid/oom_score_adj") $(cat "/proc/$(first_child "$pid")/oom_score_adj")" '100 300'
	kill -9 "$outer"
}

# With ONLY set to the name of a case's function, no other runs.
promise() {
	[ -n "${ONLY:-}" ] && [ "$ONLY" != "$2" ] || it "$@"
}

promise "1: forwards every signal that can be sent, fault-class and real-time ones included" forwards_every_signal
promise "1: forwards the value that was queued with a signal" forwards_values
promise "1: but not the SIGCHLD of the orphans that it reaps" keeps_its_own_sigchld
if [ "$(uname -m)" = x86_64 ]; then
	promise "1: is killed by a genuine fault of its own" dies_of_its_own_fault
else
	skip "1: is killed by a genuine fault of its own" "the probe crashes others on x86-64 only"
fi
promise "2: forwards a signal that was pending before its first instruction" keeps_what_is_pending
promise "2: loses none of those that come before the program runs" keeps_what_comes_early
promise "2: loses none while thousands of orphans end" keeps_signals_in_a_storm
promise "3: gives the program the mask and dispositions that it was given" passes_mask_and_dispositions
promise "3: gives the program the exact arguments and environment" passes_argv_and_environment
promise "3: gives the program the descriptors and the directory that it was given, and none of its own" passes_descriptors_and_directory
promise "3: holds no descriptor above 2" holds_no_descriptors
promise "3: works when descriptor 0, 1 or 2 is closed, and leaves it closed" works_without_descriptors
promise "3: does not hold on to a file system through its directory" lets_go_of_its_directory
promise "4: reaps children that are older than itself" reaps_older_children
promise "4: reaps orphans" reaps_orphans
promise "4: reaps 20,000 that end at once" reaps_20000_at_once
promise "4: works when SIGCHLD is inherited as ignored" works_with_sigchld_ignored
promise "5: ends with the program's status" passes_the_status
promise "5: ends with 128 and the signal" adds_128_to_a_signal
promise "5: says what was not found, and ends with 127" says_not_found
promise "5: says what cannot be executed and why, and ends with 126" says_not_executable
promise "5: runs a script without #! by the shell" runs_a_script_without_interpreter
promise "5: but no program of another processor, and nothing else that has a NUL in its first block" runs_no_nonsense
promise "5: remaps exit statuses" remaps_the_status
promise "5: rewrites a signal" rewrites_signals
promise "5: rewrites by number, drops signals, and more than once" rewrites_by_number_and_drops
promise "6: sends TERM to what the program leaves behind" drains_with_term
promise "6: sends CONT too, so that what is stopped can end" drains_what_is_stopped
promise "6: ends when the last process is gone, with the program's status" ends_when_the_last_is_gone
promise "6: waits for processes that have entered from outside" waits_for_strangers
promise "6: kills what is left after the grace" kills_after_the_grace
promise "6: kills it at once where there is no grace" kills_at_once_by_default
promise "6: drains on the stop signal, which the program itself gets" drains_on_the_stop_signal
promise "6: kills a program that doesn't end on the stop signal" kills_a_program_that_will_not_stop
promise "6: as a subreaper drains its descendants, in whatever session, and nobody else" drains_as_a_subreaper
promise "6: as a subreaper kills them after the grace" kills_as_a_subreaper
promise "7: signals the program alone" signals_the_program_alone
promise "7: signals the program's group" signals_the_group
promise "7: dies when its parent dies" dies_with_its_parent
promise "7: and, as a subreaper, all that descends from it" takes_the_rest_along
promise "8: hands the terminal whose session it leads to the program, with job control" hands_over_the_terminal
promise "8: swallows the HUP that this causes, and the CONT" swallows_its_own_hup
promise "8: but not a HUP that came before" keeps_a_real_hup
promise "8: Ctrl-Z does not wedge a program without job control" is_not_wedged_by_ctrl_z
promise "8: in the foreground stops and continues together with the program" stops_and_continues_as_a_job
promise "8: as PID 1 in the foreground too" stops_and_continues_as_pid1
promise "8: gives the foreground back to the script that it was in" gives_the_foreground_back
promise "8: in the background leaves the terminal alone, until fg" leaves_the_terminal_alone
promise "8: makes no new session where there is no terminal" keeps_the_session_without_a_terminal
promise "9: tells an exit status from a signal and from a program that cannot run" reports_the_end
promise "9: tells of a core dump" reports_a_core_dump
promise "9: tells when the program is stopped" reports_stops
promise "10: options end at the first word that is none" options_end_at_the_first_word
if [ "$FLAVOR" = wherry-init ]; then
	promise "10: a bad option is one clear line" refuses_bad_options
	promise "10: prints its options, all of which are in the manual" prints_help_and_version
fi
promise "11: gives the program back its own oom_score_adj" protects_itself
finish

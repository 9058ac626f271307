#!/bin/bash
# What a program is started with, and what is said where it cannot be.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox
ROOT=$(rootfs busybox)

# program NAME: the standard input as an executable file of a copy of the image, at /NAME.
program() {
	[ -d "$SCRATCH/with" ] || cp -a "$ROOT" "$SCRATCH/with"
	cat >"$SCRATCH/with/$1"
	chmod 755 "$SCRATCH/with/$1"
}

# Field of /proc/self/status, of a program that is started by COMMAND… which runs `wherry`.
signals() { sed -n 's/^Sig\(Blk\|Ign\|Cgt\):\t0*\([^ ]\)/\1 \2/p'; }

# As a shell's background job, a systemd service, and nohup have them; 34 is beyond what a shell knows.
ignored() {
	local usual=$'Blk 0\nIgn 0\nCgt 0' option
	for option in --init --no-init "-u 1000" "--pid host"; do
		# shellcheck disable=SC2086
		equal "$(trap '' HUP INT QUIT PIPE USR1 RTMIN; wherry run $option busybox cat /proc/self/status | signals)" "$usual"
	done
	# of this one's own signals some are blocked
	equal "$(python3 -c 'import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {9, 19, 32, 33})
for n in set(range(1, 65)) - {9, 19, 32, 33}: signal.signal(n, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$WHERRY" --root "$STORE" --state "$STATE" run busybox cat /proc/self/status |
		signals)" "$usual"
}

# crun#2058. A shell can trap no signal that was ignored when it began (POSIX).
trapped() {
	# shellcheck disable=SC2016
	(trap '' INT; exec "$WHERRY" --root "$STORE" --state "$STATE" run busybox sh -c \
		'trap "echo caught; exit 5" INT; echo up; while :; do sleep 0.1; done') >"$SCRATCH/trapped" &
	local pid=$!
	eventually grep -q up "$SCRATCH/trapped"
	kill -INT "$pid"
	eventually grep -q caught "$SCRATCH/trapped" || { kill -KILL "$pid"; return 1; }
	ends "$pid" 5
	contains "$(<"$SCRATCH/trapped")" caught
	equal "$(trap '' PIPE; wherry run busybox sh -c 'yes; echo $? >&2' 2>"$SCRATCH/yes" | head -n 1)" y
	equal "$(<"$SCRATCH/yes")" 141
}

directory() {
	local option
	mkdir -p "$SCRATCH/private"
	chown 1001:1001 "$SCRATCH/private"
	chmod 700 "$SCRATCH/private"
	for option in "-u 1000" "--cap-drop ALL" "-u 1000 --cap-drop ALL" "-u 1000 --no-init" "--security-opt no-new-privileges"; do
		# shellcheck disable=SC2086
		equal "$(wherry run $option -v "$SCRATCH/private:/private" -w /private busybox sh -c 'readlink /proc/self/cwd')" /private
	done
	# but no further than that
	fails_with 1 "ermission denied" wherry run -u 1000 -v "$SCRATCH/private:/private" -w /private busybox ls -l .
}

# What fails with EACCES for root, as on NFS, is tried as the user.
directory_of_others() {
	equal "$(strace -f -qq -o /dev/null -P /home -e inject=chdir:error=EACCES:when=1 "$WHERRY" --root "$STORE" \
		--state "$STATE" run -u 1000 -w /home busybox pwd)" /home
}

file_limit() {
	local blocks said image status
	image=$(image busybox docker)
	for blocks in 0 1 4; do
		status=0
		said=$(ulimit -f $blocks; wherry run busybox true 2>&1) || status=$?
		equal "$status" 125
		contains "$said" "copy the init: File too large"
		contains "$said" "ulimit -f"
	done
	status=0
	said=$(ulimit -f 1; "$WHERRY" --root "$SCRATCH/small" load "$image" 2>&1) || status=$?
	equal "$status" 125
	contains "$said" "File too large"
	# the program's own death by it is the program's
	status=0
	said=$(ulimit -f 1000; wherry run busybox dd if=/dev/zero of=/tmp/x bs=1M count=2 2>&1) || status=$?
	equal "$status $said" "153 "
}

# with_users: a root whose list of users is the standard input.
with_users() {
	rm -rf "$SCRATCH/users"
	cp -a "$ROOT" "$SCRATCH/users"
	cat >"$SCRATCH/users/etc/passwd"
}

# Once for the list of users, and once for that of groups.
large_lists() {
	local file
	with_users <"$ROOT/etc/passwd"
	for file in passwd group; do
		cp "$ROOT/etc/"* "$SCRATCH/users/etc/"
		truncate -s 2G "$SCRATCH/users/etc/$file"
		# in memory that one of them would not fit in
		fails_with 125 "the image's /etc/$file has 2147483648 bytes: more than 4 MiB are not read" \
			timeout 5 bash -c "ulimit -v 1000000; exec '$WHERRY' --root '$STORE' --state '$STATE' run -u alice '$SCRATCH/users' true"
		# some thousand people are no attack
		cp "$ROOT/etc/"* "$SCRATCH/users/etc/"
		{ seq 2000 60000 | sed 's/.*/none&:x:&:7:alice:\//'; cat "$ROOT/etc/$file"; } >"$SCRATCH/users/etc/$file"
		equal "$(wherry run -u alice "$SCRATCH/users" id -G)" "1000 29 44"
	done
	# what is no file is none, and blocks nothing
	rm "$SCRATCH/users/etc/passwd"
	mkfifo "$SCRATCH/users/etc/passwd"
	equal "$(wherry run "$SCRATCH/users" sh -c 'echo $HOME')" /
}

# A line of NUMBER bytes, whose home is the last thing on it but for the shell.
long_lines() {
	local number home
	for number in 200 1023 1024 1025 4096 100000; do
		printf 'carol:x:1000:100:%0*d:/home/carol:/bin/sh\nroot:x:0:0::/root:/bin/sh\n' "$number" 0 | with_users
		# shellcheck disable=SC2016
		equal "$(wherry run -u carol "$SCRATCH/users" sh -c 'echo $HOME')" /home/carol
		# shellcheck disable=SC2016
		equal "$(wherry run "$SCRATCH/users" sh -c 'echo $HOME')" /root
	done
	home=$(printf '/%0254d' 1 2 3 4 5 6 7 8)
	echo "carol:x:1000:100::$home:/bin/sh" | with_users
	# shellcheck disable=SC2016
	equal "$(wherry run -u carol "$SCRATCH/users" sh -c 'echo $HOME')" "$home"
	echo "carol:x:1000:100::$home$home$home:/bin/sh" | with_users
	fails_with 125 "the home of user 1000 in the image's /etc/passwd is longer than a path can be" \
		wherry run -u carol "$SCRATCH/users" true
}

# CVE-2022-36109: who is not in the group that a file shuts out gets in by leaving its primary group.
supplementary() {
	local groups="sed -n s/^Groups:.//p /proc/self/status"
	equal "$(wherry run -u 1000:1000 busybox $groups)" "1000 "
	equal "$(wherry run -u 4242 busybox $groups)" "0 "
	equal "$(wherry run -u alice busybox $groups)" "29 44 1000 "
	equal "$(wherry run -u alice:29 busybox $groups)" "29 "
	equal "$(wherry run -u 7:7 --group-add 7 --group-add audio busybox $groups)" "7 29 "
	equal "$(wherry run busybox $groups)" "0 "
}

# Every capability that a container's root does not have by itself.
few_rights() {
	local cap
	for cap in SYS_ADMIN SETPCAP SYS_CHROOT DAC_OVERRIDE; do
		fails_with 125 "wherry: root lacks CAP_$cap here" setpriv --bounding-set "-${cap,,}" \
			"$WHERRY" --root "$STORE" --state "$STATE" run "$ROOT" true
	done
	! wherry run busybox nosuch 2>"$SCRATCH/lacks"
	lacks "$(<"$SCRATCH/lacks")" lacks
}

# not_run STATUS TEXT HINT PROGRAM: so it is said, with an init and without.
not_run() {
	local option
	for option in --init --no-init "-u 1000" "--userns root"; do
		if [ "$option" = "--userns root" ] && ! grep -q ^root: /etc/subuid; then continue; fi
		# shellcheck disable=SC2086
		fails_with "$1" "wherry: run $4: $2" wherry run $option "$SCRATCH/with" "$4"
		# shellcheck disable=SC2086
		if [ -n "$3" ]; then fails_with "$1" "wherry: $3" wherry run $option "$SCRATCH/with" "$4"; fi
	done
}

# elf MACHINE CLASS ORDER: a header of a program for it.
elf() { printf "\177ELF\\$2\\$3\1\0\0\0\0\0\0\0\0\0\2\0\\$1\0\1\0\0\0"; head -c 4000 /dev/zero; }

# With /bin/sh as its interpreter, what follows the header would be run.
other_processors() {
	local here
	here=$(uname -m)
	[ "$here" = aarch64 ] || { elf 267 2 1; echo; echo 'echo run'; } | program arm64
	[ "$here" = aarch64 ] || not_run 126 "Exec format error" "/arm64 is a program for aarch64, and this machine is $here" /arm64
	elf 363 2 1 | program riscv
	not_run 126 "Exec format error" "/riscv is a program for riscv64, and this machine is $here" /riscv
	{ printf '\177ELF\1\2\1\0\0\0\0\0\0\0\0\0\0\2\0\10'; head -c 4000 /dev/zero; } | program mips
	not_run 126 "Exec format error" "/mips is a program for mips, and this machine is $here" /mips
	# by the way of PATH, and of a script
	mv "$SCRATCH/with/riscv" "$SCRATCH/with/bin/riscv"
	not_run 126 "Exec format error" "/bin/riscv is a program for riscv64, and this machine is $here" riscv
	printf '#!/bin/riscv\n' | program script
	not_run 126 "Exec format error" "/bin/riscv is a program for riscv64, and this machine is $here" /script
}

no_programs() {
	printf 'echo run\n\0' | program nul
	not_run 126 "Exec format error" "" /nul
	program empty </dev/null
	not_run 126 "Exec format error" "/empty is empty" /empty
	printf '#!/%0300d\necho run\n' 1 | program long
	not_run 126 "Exec format error" "its #! line is longer than the 256 bytes that the kernel reads" /long
	mkdir "$SCRATCH/with/directory"
	not_run 126 "Permission denied" "" /directory
	not_run 127 "No such file or directory" "" nosuch
}

missing() {
	printf '#!/bin/bash -e\necho hi\n' | program script
	not_run 127 "its interpreter /bin/bash is not in the image" "" /script
	printf '#! /bin/sh\r\necho hi\r\n' | program windows
	not_run 127 "its interpreter /bin/sh^M is not in the image" "its first line ends in CR LF, as those of Windows do" /windows
	cp "$BASH" "$SCRATCH/with/bin/dynamic"
	not_run 127 "/bin/dynamic: its loader /lib" "" dynamic
	printf '#!/bin/dynamic\n' | program by-a-script
	not_run 127 "/bin/dynamic: its loader /lib" "" /by-a-script
	printf '#!../../bin/bash\n' | program relative
	not_run 127 "its interpreter ../../bin/bash is not in the image" "" /relative
	# the host's is not looked at
	printf '#!%s\n' "$WHERRY" | program outside
	not_run 127 "its interpreter $WHERRY is not in the image" "" /outside
}

# What a program that runs among the host's processes has started, in a session of its own, stopped.
host_pids_end() {
	local init rest
	start among --pid host busybox sh -c 'setsid sh -c "sleep 1000 & echo \$!; kill -STOP \$\$" & trap "" TERM HUP; while :; do sleep 1000; done'
	init=$(inside "$started" wherry-init)
	rest=$(pgrep -g "$(ps -o pgid= -p "$(<"$SCRATCH/among")" | tr -d ' ')")
	[ -n "$init" ] && [ "$(wc -w <<<"$rest")" -ge 2 ]
	kill -KILL "$started"
	ends "$started" 137
	for init in $init $rest; do eventually [ ! -e "/proc/$init" ]; done
	wherry run busybox true
}

# Outside and inside.
no_directory() {
	local file=$SCRATCH/file option
	: >"$file"
	for option in "--root $file/x images" "--state $file/x/y run $ROOT true"; do
		# shellcheck disable=SC2086
		fails_with 125 "$file/x" "$WHERRY" $option
		# shellcheck disable=SC2086
		fails_with 125 ": $file is not a directory" "$WHERRY" $option
	done
	fails_with 125 "bind $file/a/b: $file is not a directory" wherry run -v "$file/a/b:/x" busybox true
	fails_with 125 "--overlay $file/x: $file is not a directory" wherry run --overlay "$file/x" busybox true
	for option in "-w /etc/passwd/x/y" "--tmpfs /etc/passwd/x/y" "-v $SCRATCH:/etc/passwd/x/y"; do
		# shellcheck disable=SC2086
		fails_with 125 ": /etc/passwd is not a directory" wherry run $option busybox true
	done
}

proc_links() {
	local link
	for link in fd/0 fd/3 fd/3/.. cwd root/tmp; do
		fails_with 125 "make /proc/self/$link: its links go round in a circle, or one is /proc's own" \
			wherry run -w "/proc/self/$link" busybox true
	done
}

it "gives the program no signal that the caller ignores or blocks" ignored
it "so that it can trap it, and dies of a broken pipe" trapped
it "enters a working directory that only root may enter" directory
if type -P strace >/dev/null; then
	it "and one that only its user may" directory_of_others
else
	skip "and one that only its user may" "no strace here"
fi
it "runs no other processor's program as a script, and names both" other_processors
it "nor what is empty, has a NUL, or a #! line too long" no_programs
it "names the interpreter or loader that is missing" missing
it "takes what it started along when wherry is killed, with --pid host" host_pids_end
it "names the element of a path that is a file" no_directory
it "says that it follows no link of /proc's" proc_links
it "reads a list of users or groups up to a size" large_lists
it "finds HOME in a line of any length" long_lines
it "keeps the primary group among the supplementary ones" supplementary
it "says where ulimit -f ends it" file_limit
it "says which right root lacks" few_rights
finish_clean

#!/bin/bash
# What a hostile image, and a hostile program in it that is root there, may try against the host.
#
# Beside each attempt stands its control: with the defence taken away by an option, the same attempt
# gets through, so that an attempt that has become wrong cannot pass for a defence that holds. Where no
# option takes the defence away, the comment says how it was seen to fail.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

ESCAPE=$BUILD/tests/security/escape
HANDOVER=$BUILD/tests/security/handover

# Ids for --userns; none where this kernel cannot map the layers' owners.
MAPPED=wherry-escape-${SCRATCH##*.}
trap 'sed -i "/^wherry-escape-${SCRATCH##*.}:/d" /etc/subuid /etc/subgid; scratch_remove' EXIT
for file in /etc/subuid /etc/subgid; do echo "$MAPPED:$((300000000 + $$ % 10000 * 65536)):65536" >>"$file"; done
wherry run --userns "$MAPPED" busybox true 2>/dev/null || MAPPED=
OPEN=(--privileged)

# try VERB… [-- OPTION…]: what the attempts say, in a container with the options.
try() {
	local verb=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do verb+=("$1"); shift; done
	[ $# -eq 0 ] || shift
	wherry run -v "$ESCAPE:/escape:ro" "$@" busybox /escape "${verb[@]}"
}

# all_held VERB… [-- OPTION…]
all_held() {
	local said
	said=$(try "$@")
	contains "$said" "held "
	lacks "$said" "GOT "
}

# all_got VERB… [-- OPTION…]: but for what this kernel doesn't have.
all_got() {
	local said
	said=$(try "$@")
	contains "$said" "GOT "
	lacks "$(grep -v ': Function not implemented$' <<<"$said")" "held "
}

calls() {
	all_held calls
	all_held calls -- -u 1000
	all_got calls -- "${OPEN[@]}"
}

mounts() {
	all_held mounts
	# neither mechanism alone lets them through
	all_held mounts -- --security-opt seccomp=unconfined
	all_got mounts -- "${OPEN[@]}"
}

opens() {
	all_held opens
	all_got opens -- "${OPEN[@]}"
}

reads() {
	all_held reads
	all_got reads -- "${OPEN[@]}"
}

users() {
	all_held users
	all_held users -- -u 1000
	all_got users -- --security-opt seccomp=unconfined
}

# With F_ADD_SEALS taken out of launcher/container/carried.c, "GOT unsealed /proc/1/exe".
own_init() {
	local before said
	before=$(sha256sum "$WHERRY")
	said=$(try exe -- --cap-add SYS_PTRACE)
	contains "$said" "held unsealed"
	lacks "$said" "exe $(stat -c '%Hd:%Ld %i' "$WHERRY")"
	all_held write /proc/1/exe -- --cap-add SYS_PTRACE
	all_held write /proc/1/exe
	all_got write /bin/busybox
	# an image whose program is whatever runs it
	cp -a "$(rootfs busybox)" "$SCRATCH/self"
	printf '#!/proc/self/exe\n' >"$SCRATCH/self/evil"
	chmod 755 "$SCRATCH/self/evil"
	wherry run "$SCRATCH/self" /evil >"$SCRATCH/evil" 2>&1 || [ $? -ne 125 ]
	equal "$(sha256sum "$WHERRY")" "$before"
}

# rights_of PID: what a process of the container may do, and where it is.
rights_of() {
	echo "sed -n '/^\(Uid\|Gid\|Groups\|Cap...\|NoNewPrivs\|Seccomp\):/p' /proc/$1/status; readlink /proc/$1/ns/* /proc/$1/root"
}

# The machine's init, or that of the PID namespace which tests/run makes, and wherry itself.
tracing() {
	# shellcheck disable=SC2016
	local said parent='for n in 1 $(sed -n "s/^PPid:.//p" /proc/$PPID/status); do /escape trace $n; done; :'
	said=$(wherry run -v "$ESCAPE:/escape:ro" --pid host busybox sh -c "$parent")
	equal "$(grep -c ^held <<<"$said")" 16
	lacks "$said" GOT
	said=$(wherry run -v "$ESCAPE:/escape:ro" --pid host "${OPEN[@]}" busybox sh -c "$parent")
	equal "$(grep -c "^GOT \(ptrace\|mem\|environ\|root\|exe\|process_vm_readv\|setns\)" <<<"$said")" 14
}

# Nor what it is given: the pipe on which it reports can be opened again by nobody. It has no right more than the
# program; that holds where a program may trace whom it likes.
tracing_init() {
	all_held trace 1
	all_held trace 1 -- -u 1000
	all_held trace 1 -- --cap-add SYS_PTRACE --userns root
	contains "$(try trace 1 -- --cap-add SYS_PTRACE)" "GOT environ"
	equal "$(wherry run busybox sh -c "$(rights_of 1)" | sed '/^\//d')" \
		"$(wherry run busybox sh -c "$(rights_of self)" | sed '/^\//d')"
	equal "$(wherry run --cap-add SYS_PTRACE busybox sh -c "$(rights_of 1)")" \
		"$(wherry run --cap-add SYS_PTRACE busybox sh -c "$(rights_of self)")"
	equal "$(wherry run -u 1000 busybox sh -c "$(rights_of 1)" | sed '/^\//d')" \
		"$(wherry run -u 1000 busybox sh -c "$(rights_of self)" | sed '/^\//d')"
}

# without_rights: the processes of wherry's that have a filter and no init yet.
without_rights() {
	local status
	for status in /proc/[0-9]*/status; do
		if [ "$(sed -n '1s/^Name:\t//p; s/^Seccomp:\t//p' "$status" 2>/dev/null | xargs)" = "wherry 2" ]; then
			basename "$(dirname "$status")"
		fi
	done
}

found_one() { [ -n "$(without_rights)" ]; }

# The next launch's child, caught between the end of its rights and the exec, by a container that sees the host's
# processes. Without PR_SET_DUMPABLE in launcher/main.c it is all GOT: the host's file, the caller's environment.
next_launch() {
	local child said option
	for option in --init --no-init; do
		strace -f -qq -o /dev/null -e trace=capset -e inject=capset:delay_exit=4000000 "$WHERRY" --root "$STORE" \
			--state "$STATE" run $option busybox true &
		eventually found_one
		child=$(without_rights)
		all_held trace "$child" -- --pid host
		[ -e "/proc/$child" ] && [ "$(cat "/proc/$child/comm")" = wherry ]
		wait
	done
	start sleeper busybox sh -c 'echo up; exec sleep 60'
	child=$(inside "$started" wherry-init)
	all_held trace "$child" -- --pid host
	contains "$(try trace "$child" -- --pid host --cap-add SYS_PTRACE)" "GOT environ"
	kill "$started"
	ends "$started" 143
}

# CVE-2022-0492. Where there is no cgroup v1 there is none.
agents() {
	if ! awk '$2 { v1 = 1 } END { exit !v1 }' /proc/cgroups; then
		equal "$(try agents)" ""
		return
	fi
	all_held agents
	all_held agents -- --security-opt seccomp=unconfined
	contains "$(try agents -- "${OPEN[@]}")" "GOT mounted release_agent"
}

# The first disk that the kernel has, its memory and its log.
host_devices() {
	local device
	for device in /sys/class/block/*; do
		if [ "$(cat "$device/size")" -gt 0 ] && head -c 1 "/dev/${device##*/}" >/dev/null 2>&1; then
			echo "b:$(cat "$device/dev")"
			break
		fi
	done
	for device in c:1:1 c:1:11; do echo "$device"; done
}

devices() {
	local list
	list=$(host_devices)
	# shellcheck disable=SC2086
	all_held devices $list
	# shellcheck disable=SC2086
	contains "$(try devices $list -- "${OPEN[@]}")" "GOT "
}

# A file beside the volume, on the same file system.
handles() {
	local handle
	mkdir -p "$SCRATCH/volume"
	echo secret >"$SCRATCH/beside"
	handle=$("$ESCAPE" handle-of "$SCRATCH/beside")
	all_held handle "$handle" -- -v "$SCRATCH/volume:/volume"
	all_held handle "$handle" -- -v "$SCRATCH/volume:/volume" --security-opt seccomp=unconfined
	all_got handle "$handle" -- -v "$SCRATCH/volume:/volume" --cap-add DAC_READ_SEARCH
}

# As from a shell on a terminal, with and without -i and -t.
on_terminal() {
	script -qec "$WHERRY --root $STORE --state $STATE run -v $ESCAPE:/escape:ro $* busybox /escape terminal" \
		/dev/null </dev/null | tr -d '\r'
}

# With standard_pipes() taken out of launcher/container/inside.c, "GOT /proc/self/fd/1" and, with CAP_SYS_ADMIN, TIOCSTI.
# A terminal of its own shows that the attempt would do.
terminal() {
	local said
	for said in "$(on_terminal)" "$(on_terminal -i)" "$(on_terminal --privileged)" "$(on_terminal -i --privileged)"; do
		contains "$said" "held /proc/self/fd/1"
		lacks "$said" "GOT "
	done
	contains "$(on_terminal -t)" "GOT /proc/self/fd/1"
}

# Three close what the caller left open: launcher/main.c, close_others() in launcher/container/inside.c, and the
# init. With the first two taken out, 77 is listed where there is no init.
descriptors() {
	local said
	said=$(try descriptors 77<"$SCRATCH")
	equal "$(awk '$1 == "self" && $2 > 2' <<<"$said")" ""
	equal "$(awk '$1 == 1' <<<"$said")" ""
	# the socket on which init reports
	said=$(try descriptors -- --cap-add SYS_PTRACE)
	equal "$(awk '$1 == 1 && $2 > 2 { print $3 }' <<<"$said" | sed 's/\[.*//')" socket:
	equal "$(try descriptors -- --no-init 77<"$SCRATCH" | awk '$2 > 2')" ""
}

# CVE-2024-21626: a working directory that is one of the launcher's own descriptors. With close_others()
# and the check behind chdir(2) taken out of launcher/container/inside.c, `ls` lists the store; with the first out,
# "it is not in the container".
working_directory() {
	local fd up said
	for fd in {0..12}; do
		for up in .. ../..; do
			said=$(wherry run -w "/proc/self/fd/$fd/$up" busybox ls 2>&1 || true)
			lacks "$said" layers
			lacks "$said" store
			contains "$said" "make /proc/self/fd/$fd/$up"
		done
	done
}

# A pipe could be opened again, and its own end misreported.
forged() {
	local said options
	for options in '' '-u 1000' --privileged '--cap-add SYS_PTRACE'; do
		# shellcheck disable=SC2086
		said=$(try forge -- $options)
		lacks "$said" "GOT /proc/1"
		contains "$said" "GOT /proc/self"
	done
}

# says WHAT: how wherry ends where the init says WHAT.
says() {
	wherry run --init-path "$ESCAPE" busybox "$1" 2>"$SCRATCH/says" || echo "$?"
}

# FAILED is the launcher's child's word, before its exec; a number is one that there is; what comes too often is heard
# no more. What is left is how the init itself ended.
hostile_init() {
	equal "$(says failed-first)" 43
	equal "$(says failed)" 43
	equal "$(says number)" 43
	equal "$(says flood)" 44
	equal "$(cat "$SCRATCH/says")" ""
}

# evil PATH TARGET: an image with a link to TARGET in the place of PATH.
evil() {
	rm -rf "$SCRATCH/evil-root"
	cp -a "$(rootfs busybox)" "$SCRATCH/evil-root"
	rm -rf "${SCRATCH:?}/evil-root/$1"
	mkdir -p "$SCRATCH/evil-root/$(dirname "$1")"
	ln -s "$2" "$SCRATCH/evil-root/$1"
}

# The host's directory that the links lead to, as they may: absolute, or up and down again.
victims() {
	echo "$SCRATCH/victim"
	echo "../../../../../../../../../..$SCRATCH/victim"
}

victim_is_untouched() { equal "$(cd "$SCRATCH/victim" && find . -type f -exec cat {} + && find . | sort)" \
"the host's
.
./hosts"; }

new_victim() {
	rm -rf "$SCRATCH/victim"
	mkdir "$SCRATCH/victim"
	echo "the host's" >"$SCRATCH/victim/hosts"
}

# Without RESOLVE_NO_SYMLINKS in launcher/mount/mounts.c, /proc is mounted on the container's /tmp.
links_for_kernel_mounts() {
	local at to
	new_victim
	for at in proc dev sys; do
		for to in "$SCRATCH/victim" "../../../../../..$SCRATCH/victim" /tmp tmp ../tmp . /; do
			evil "$at" "$to"
			fails_with 125 "mount /$at: the image has something there that is no directory" \
				wherry run "$SCRATCH/evil-root" true
		done
		rm "$SCRATCH/evil-root/$at"
		echo file >"$SCRATCH/evil-root/$at"
		fails_with 125 "mount /$at: the image has something there that is no directory" \
			wherry run "$SCRATCH/evil-root" true
	done
	victim_is_untouched
}

# Where a launcher resolves them below the root's path before it enters it, files appear in the victim: seen
# with mounts_target("STAGING/root/TARGET") called before root_enter() in launcher/container/inside.c.
links_for_files() {
	local at to
	new_victim
	for to in $(victims); do
		evil etc "$to"
		wherry run "$SCRATCH/evil-root" cat /etc/hosts >"$SCRATCH/out" 2>&1 || [ $? -eq 125 ]
		lacks "$(cat "$SCRATCH/out")" "the host's"
		for at in hosts resolv.conf hostname; do
			evil "etc/$at" "$to/hosts"
			wherry run "$SCRATCH/evil-root" cat "/etc/$at" >"$SCRATCH/out" 2>&1 || [ $? -eq 125 ]
			lacks "$(cat "$SCRATCH/out")" "the host's"
			evil "etc/$at" "$to/new"
			wherry run "$SCRATCH/evil-root" cat "/etc/$at" >"$SCRATCH/out" 2>&1 || [ $? -eq 125 ]
		done
	done
	victim_is_untouched
}

# With close_others() taken out of launcher/container/inside.c, the victim has a file resolv.conf.
links_by_descriptor() {
	local fd
	new_victim
	for fd in {3..12}; do
		evil etc "/proc/self/fd/$fd/../../victim"
		tar -C "$SCRATCH/evil-root" -cf "$SCRATCH/evil.tar" .
		wherry import "$SCRATCH/evil.tar" evil >/dev/null
		fails_with 125 "make /etc" wherry run evil cat /etc/hosts
		victim_is_untouched
	done
}

# With --pid host /proc has links to the host's root. Without RESOLVE_NO_MAGICLINKS in launcher/mount/target.c there
# are new files and directories in the victim.
links_by_process() {
	local to=/proc/1/root$SCRATCH/victim at
	new_victim
	[ -d "$to" ]
	for at in etc etc/hosts etc/resolv.conf; do
		evil "$at" "$to/new"
		fails_with 125 "make /etc" wherry run --pid host "$SCRATCH/evil-root" true
		victim_is_untouched
	done
	evil data "$to"
	for at in "-w /data/in" "-v $SCRATCH:/data/in" "-v $ESCAPE:/data/in" "--tmpfs /data/in" \
		"--device /dev/zero:/data/in" "--device /dev/zero:/data/in/new"; do
		# shellcheck disable=SC2086
		fails_with 125 "/data/in" wherry run --pid host $at "$SCRATCH/evil-root" true
		victim_is_untouched
	done
}

link_loops() {
	local at
	for at in etc etc/hosts data; do
		evil "$at" "$(basename "$at")"
		fails_with 125 "/$at" wherry run --device "/dev/zero:/$at/in" "$SCRATCH/evil-root" true
		fails_with 125 "/$at" wherry run -v "$SCRATCH/victim:/data" "$SCRATCH/evil-root" true
	done
}

# As above.
links_for_volumes() {
	local to option
	new_victim
	mkdir -p "$SCRATCH/volume"
	for to in $(victims) "$SCRATCH/victim/new"; do
		evil data "$to"
		for option in "-v $SCRATCH/volume:/data" "-v $ESCAPE:/data/new" "--tmpfs /data" "-w /data" "-w /data/in" \
			"-v /data" "-v named:/data" "--mount type=tmpfs,dst=/data/in" "--device /dev/zero:/data/zero" "--device /dev/zero:/data"; do
			# shellcheck disable=SC2086
			wherry run $option "$SCRATCH/evil-root" sh -c 'echo x >/data/x; echo x >x; cat /data/hosts' \
				>"$SCRATCH/out" 2>&1 || [ $? -ne 0 ]
			lacks "$(cat "$SCRATCH/out")" "the host's"
			victim_is_untouched
		done
	done
}

# The image's files name owners; a link among them must not lead a reader out. With user_find() called in STAGING/root
# before root_enter(), HOME is the leak.
links_for_users() {
	echo "root:x:0:0::$SCRATCH/leak:/bin/sh" >"$SCRATCH/passwd"
	evil etc/passwd "$SCRATCH/passwd"
	# shellcheck disable=SC2016
	lacks "$(wherry run "$SCRATCH/evil-root" sh -c 'echo $HOME' 2>&1)" leak
}

# A volume that two containers share: one swaps a directory for a link while the other mounts on something in it. With
# taken_put_volumes() called before root_enter() in launcher/container/inside.c, and STAGING/root before its targets, the
# victim has a directory new.
swapped_volume() {
	local swapper n
	new_victim
	mkdir -p "$SCRATCH/shared/sub"
	start swapper -v "$SCRATCH/shared:/shared" busybox sh -c "echo up; while :; do
		mv /shared/sub /shared/was && ln -s $SCRATCH/victim /shared/sub; rm /shared/sub; mv /shared/was /shared/sub; done"
	swapper=$started
	for n in {1..20}; do
		wherry run -v "$SCRATCH/shared:/shared" --tmpfs /shared/sub/new busybox touch /shared/sub/new/x \
			>"$SCRATCH/out" 2>&1 || [ $? -ne 0 ]
		victim_is_untouched
	done
	kill -KILL "$swapper"
	ends "$swapper" 137
}

# move_out VOLUME DIR: what a program sees above its directory DIR, while that is moved to where a secret is.
move_out() {
	local out=$SCRATCH/move
	rm -rf "$out"
	mkdir -p "$out/volume/in" "$out/elsewhere"
	echo secret >"$out/elsewhere/file"
	start mover -v "$out/$1:/volume" -w "/volume/$2" busybox sh -c \
		'echo up; while [ ! -e ../file ] && ls ../in >/dev/null 2>&1; do sleep 0.1; done
		 for up in .. ../.. ../../.. ../../../.. ../../../../..; do ls -a $up 2>&1; cat $up/file 2>&1; done; echo end'
	mv "$out/volume/in" "$out/elsewhere/in"
	ends "$started" 0
	contains "$(cat "$SCRATCH/mover")" end
}

# A directory that is moved out of the volume from outside while a program is in it: ".." ends there. The kernel
# sees to it (Linux 4.3) where the volume is a mount of its own; within one mount ".." leads to the secret.
moved_directory() {
	move_out volume in
	lacks "$(cat "$SCRATCH/mover")" secret
	lacks "$(cat "$SCRATCH/mover")" elsewhere
	move_out . volume/in
	contains "$(cat "$SCRATCH/mover")" secret
}

# handed OPTION…: what one container finds from a directory of another's, which that has handed it, and above it.
handed() {
	rm -rf "$SCRATCH/handed"
	mkdir "$SCRATCH/handed"
	start offer -v "$SCRATCH/handed:/shared" -v "$HANDOVER:/handover:ro" --tmpfs /mark:size=4k "$@" busybox \
		sh -c 'touch /of-the-other; exec /handover offer /shared/socket /'
	wherry run -v "$SCRATCH/handed:/shared" -v "$HANDOVER:/handover:ro" busybox /handover take /shared/socket >"$SCRATCH/took"
	ends "$started" 0
	cat "$SCRATCH/took"
}

# Its own root ends the other's way up: both see the other container, which has agreed to it, and nothing of the host. A
# directory of the host's, handed over from outside of any container, leads to the host's root.
handed_over() {
	local line
	handed >"$SCRATCH/lines"
	equal "$(cut -d : -f 1 "$SCRATCH/lines" | tr '\n' ' ')" "taken climbed chrooted below "
	equal "$(grep -vc of-the-other "$SCRATCH/lines" || true)" 0
	rm -rf "$SCRATCH/handed"
	mkdir -p "$SCRATCH/handed" "$SCRATCH/outside"
	"$HANDOVER" offer "$SCRATCH/handed/socket" "$SCRATCH/outside" >"$SCRATCH/control" &
	eventually grep -q up "$SCRATCH/control"
	wherry run -v "$SCRATCH/handed:/shared" -v "$HANDOVER:/handover:ro" busybox /handover take /shared/socket >"$SCRATCH/took"
	wait "$!"
	equal "$(sed -n 's/^climbed: //p' "$SCRATCH/took" | tr ' ' '\n' | sort)" "$(ls -A / | sort)"
}

# With pivot_root(2) in launcher/mount/root.c replaced by chroot(2) alone, both list the host's root.
climbing() {
	local own
	own=$(wherry run busybox ls -A / | sort)
	equal "$(wherry run busybox tool -escape | sort)" "$own"
	equal "$(wherry run --cap-add SYS_PTRACE busybox sh -c 'cd /proc/1/cwd && ls -A ../../..' | sort)" "$own"
	equal "$(wherry run --cap-add SYS_PTRACE busybox sh -c 'ls -A /proc/1/root/../..' | sort)" "$own"
}

# with_config CONFIG TREE: the image "asked", with the busybox image's layers below TREE.
with_config() {
	tar -C "$2" -cf "$SCRATCH/asked-layer.tar" .
	python3 "$TOP/tests/lib/images.py" docker "$SCRATCH/asked.tar" "$1" asked:latest \
		"$IMAGES/busybox.layers"/*.tar "$SCRATCH/asked-layer.tar"
	wherry load -q "$SCRATCH/asked.tar" >/dev/null
}

# refused_or_held OPTION…: the image "asked" does not start, and says why, or keeps what sets up the machine read-only.
refused_or_held() {
	local status=0
	wherry run -v "$ESCAPE:/escape:ro" "$@" asked /escape opens >"$SCRATCH/said" 2>&1 || status=$?
	lacks "$(cat "$SCRATCH/said")" "GOT "
	case $status in
	0) contains "$(cat "$SCRATCH/said")" "held /proc/sys/kernel/core_pattern" ;;
	125)
		# mkdir(2) in the kernel's directories
		grep -q '^wherry: \(mount /.* where nothing may be mounted\|make /data/in: \|make /proc/self: there is a link\)' "$SCRATCH/said" ||
			{ cat "$SCRATCH/said"; return 1; }
		;;
	*) equal "$status" "0 or 125" ;;
	esac
	echo "$status" >>"$SCRATCH/statuses"
}

# Where an image bound /proc, or what of it was masked, onto itself, or covered it, the masks were gone. Seen with the
# masks made before volumes, and place_open()'s refusal taken out: "GOT /proc/sys/kernel/core_pattern".
own_volumes_on_kernel() {
	local to options kernels=(/proc /proc/sys /proc/sys/kernel /proc/self /proc/1 /proc/./sys //proc/ /sys/kernel /)
	rm -rf "$SCRATCH/link"
	mkdir -p "$SCRATCH/link/a"
	: >"$SCRATCH/statuses"
	for to in "${kernels[@]}"; do
		[ "$to" = / ] || { with_config "{\"Volumes\": {\"$to\": {}}}" "$SCRATCH/link"; refused_or_held; }
		ln -sfn "$to" "$SCRATCH/link/data"
		ln -sfn "../$to" "$SCRATCH/link/a/data"
		with_config '{"Volumes": {"/data": {}, "/a/data": {}}}' "$SCRATCH/link"
		refused_or_held
		refused_or_held --cap-drop ALL --security-opt no-new-privileges --read-only
		with_config '{}' "$SCRATCH/link"
		for options in "-v /data" "-v $SCRATCH:/data" "-v $SCRATCH:/a/data" "-v named:/data" "--tmpfs /data" \
			"--mount type=volume,dst=/a/data"; do
			# shellcheck disable=SC2086
			refused_or_held $options
		done
		refused_or_held -v /data/in
	done
	# both answers are there, or the attempts have become wrong
	contains "$(sort -u "$SCRATCH/statuses" | paste -sd ' ')" 125
	all_got opens -- --privileged -v /data
}

# What lxcfs gives a container of its own, and /sys or /proc as docker binds them: hidden and sealed all the same.
asked_on_kernel() {
	local options
	echo "1.00 1.00" >"$SCRATCH/uptime"
	equal "$(wherry run -v "$SCRATCH/uptime:/proc/uptime" busybox cat /proc/uptime)" "1.00 1.00"
	wherry run -v /sys/fs/cgroup:/sys/fs/cgroup:ro busybox ls /sys/fs/cgroup >/dev/null
	for options in "-v /proc:/proc" "-v /proc:/proc -v $SCRATCH/uptime:/proc/uptime" "-v /sys:/sys:ro" "-v $SCRATCH/uptime:/proc/stat"; do
		# shellcheck disable=SC2086
		all_held opens -- $options
		# shellcheck disable=SC2086
		all_held reads -- $options
	done
	for options in "-v /proc/sys:/proc" "-v $SCRATCH:/proc" "--tmpfs /proc" "-v $SCRATCH/uptime:/proc/version" \
		"--tmpfs /proc/sys" "-v /proc/sys:/proc/sys" "-v $SCRATCH:/proc/1"; do
		# shellcheck disable=SC2086
		fails_with 125 "its place is on procfs" wherry run $options busybox true
	done
	# with --pid host what is mounted below the machine's /proc comes along, and must not stay writable
	all_held opens -- --pid host -v /proc:/proc
}

# /etc/hosts and its kin, which each container gets, in the place of a file of /proc.
own_files_on_kernel() {
	local at to
	for at in hosts hostname resolv.conf; do
		for to in /proc/self/oom_score_adj /proc/self/attr/current /proc/sys/kernel/hostname /proc/1/oom_score_adj \
			/dev/null /dev/pts/ptmx /sys/kernel/uevent_seqnum; do
			evil "etc/$at" "$to"
			fails_with 125 "mount /etc/$at: its place is on" \
				wherry run --oom-score-adj 500 "$SCRATCH/evil-root" cat /proc/self/oom_score_adj
		done
	done
	rm "$SCRATCH/evil-root/etc/$at"
	equal "$(wherry run --oom-score-adj 500 "$SCRATCH/evil-root" cat /proc/self/oom_score_adj)" 500
}

# A second container starts on a volume where a first one swaps what the second mounts on for links to /proc, /sys and /.
# With the target made, then mounted on by its path: 8 of 25 mounted over their own /proc or /.
swapped_place() {
	local swapper n status
	mkdir -p "$SCRATCH/swap/sub/in" "$SCRATCH/fine"
	start place_swapper -v "$SCRATCH/swap:/shared" busybox sh -c 'echo up; cd /shared; n=0; while :; do
		for to in /proc /proc/sys /sys / /proc/self/fd ../../proc /dev; do
			mv sub was; ln -s $to sub; rm sub; mv was sub
			mv sub/in sub/was; ln -s $to sub/in; rm sub/in; mv sub/was sub/in; done; done'
	swapper=$started
	: >"$SCRATCH/statuses"
	# the race is on once some have met a link, and some none
	for n in {1..500}; do
		[ "$n" -lt 40 ] || ! grep -q '^125 1' "$SCRATCH/statuses" || ! grep -q '^0 0' "$SCRATCH/statuses" || break
		status=0
		wherry run -v "$SCRATCH/swap:/shared" -v "$SCRATCH/fine:/shared/sub/in" --tmpfs /shared/sub/t -v /shared/sub/in/v \
			-v "$ESCAPE:/escape:ro" busybox sh -c '/escape opens; /escape reads; cat /proc/self/mountinfo' \
			>"$SCRATCH/out" 2>"$SCRATCH/err" || status=$?
		echo "$status $(grep -c 'may be mounted' "$SCRATCH/err")" >>"$SCRATCH/statuses"
		lacks "$(cat "$SCRATCH/out")" "GOT "
		if [ "$status" -eq 0 ]; then
			equal "$(python3 "$TOP/tests/security/masks.py" held "$SCRATCH/out")" ""
		else
			equal "$status $(wc -l <"$SCRATCH/out")" "125 0"
		fi
	done
	kill -KILL "$swapper"
	ends "$swapper" 137
	[ "$n" -lt 500 ]
}

# unheld OPTION…: as on a kernel that can hold nobody to his devices.
unheld() {
	unshare --mount sh -c 'umount -l /sys/fs/cgroup && exec "$@"' - \
		strace -qq -o /dev/null -e trace=bpf -e inject=bpf:error=ENOSYS "$WHERRY" --root "$STORE" --state "$STATE" run "$@"
}

# Nodes of /dev/zero, which is harmless to read, in a volume of the host's, a named one, the image's, and the root.
nodes_in_volumes() {
	local where ids
	rm -rf "$SCRATCH/nodes" "$SCRATCH/asked-tree"
	mkdir -p "$SCRATCH/nodes" "$SCRATCH/asked-tree/data" "$SCRATCH/asked-tree/keep"
	mknod -m 666 "$SCRATCH/nodes/zero" c 1 5
	mknod -m 666 "$SCRATCH/asked-tree/data/zero" c 1 5
	mknod -m 666 "$SCRATCH/asked-tree/keep/zero" c 1 5
	with_config '{"Volumes": {"/data": {}}}' "$SCRATCH/asked-tree"
	for where in "run" unheld "run --userns $1" "unheld --userns $1"; do
		[ -n "$1" ] || [[ $where != *userns* ]] || continue
		[[ $where = unheld* ]] && where="$where" || where="wherry $where"
		for ids in "-v $SCRATCH/nodes:/data" "-v $SCRATCH/nodes:/data:ro" "" "--mount type=bind,src=$SCRATCH/nodes,dst=/data"; do
			# shellcheck disable=SC2086
			contains "$($where $ids asked head -c 1 /data/zero 2>&1)" "Permission denied"
		done
		# what the image has is not copied, nor shown by a volume that has it already
		# shellcheck disable=SC2086
		contains "$($where -v copied:/data asked ls /data/zero 2>&1)" "No such file"
		wherry volume rm copied
		wherry volume create full
		cp -a "$SCRATCH/nodes/zero" "$STORE/volumes/full/"
		# shellcheck disable=SC2086
		contains "$($where -v full:/data asked head -c 1 /data/zero 2>&1)" "Permission denied"
		wherry volume rm full
	done
	# the controls: with a device given, or all of them, volumes show theirs; where nobody holds them, the root never
	equal "$(wherry run --device /dev/full -v "$SCRATCH/nodes:/data" asked head -c 1 /data/zero | od -An -tx1)" " 00"
	equal "$(wherry run --privileged -v "$SCRATCH/nodes:/data" asked head -c 1 /data/zero | od -An -tx1)" " 00"
	equal "$(wherry run -v /dev/zero:/z asked head -c 1 /z | od -An -tx1)" " 00"
	equal "$(wherry run -v /dev:/dev asked head -c 1 /dev/zero | od -An -tx1)" " 00"
	equal "$(wherry run asked head -c 1 /keep/zero | od -An -tx1)" " 00"
	contains "$(unheld --device /dev/full -v "$SCRATCH/nodes:/data" asked sh -c 'head -c 1 /data/zero; head -c 1 /keep/zero' 2>&1 | grep -c "Permission denied")" 2
	contains "$(unheld --tmpfs /t:dev --cap-add MKNOD asked sh -c 'mknod /t/zero c 1 5 && head -c 1 /t/zero' 2>&1)" "Permission denied"
}

# The pty that becomes /dev/console, and the caller's terminal's other end, are the container's own, whatever a volume
# shows in /dev or /dev/pts (CVE-2025-52565 was a link in the place of /dev/pts/0).
swapped_pty() {
	local at
	rm -rf "$SCRATCH/dev"
	mkdir -p "$SCRATCH/dev/pts"
	for at in ptmx pts/ptmx pts/0 console null; do ln -s /proc/sysrq-trigger "$SCRATCH/dev/$at"; done
	for at in "-v $SCRATCH/dev:/dev" "-v $SCRATCH/dev/pts:/dev/pts"; do
		equal "$(on_terminal "$at" | grep -c ^GOT)" 0
		script -qec "$WHERRY --root $STORE --state $STATE run -t $at busybox sh -c 'tty; cat /proc/self/mountinfo'" /dev/null \
			</dev/null | tr -d '\r' >"$SCRATCH/pty"
		equal "$(head -n 1 "$SCRATCH/pty" | grep -c '^/dev/\|^not a tty')" 1
		equal "$(awk '$5 == "/dev/console" { print $4 }' "$SCRATCH/pty" | grep -v '^/0$')" ""
		equal "$(python3 "$TOP/tests/security/masks.py" held "$SCRATCH/pty")" ""
	done
}

it "refuses the calls that reach the whole machine" calls
it "refuses every way to mount or unmount" mounts
it "keeps what sets up the machine read-only" opens
it "shows nothing in what tells of the machine" reads
it "makes no user namespace" users
it "traces no process of the host's" tracing
if type -P strace >/dev/null; then
	it "nor the next container before its program runs" next_launch
else
	skip "nor the next container before its program runs" "no strace here"
fi
it "looks into no init, and has no more rights there where it may" tracing_init
it "has no release_agent to write to" agents
it "runs an init that nobody can change, from no file of the host's" own_init
it "reads no device of the host's" devices
it "opens no file by its number" handles
it "reads nothing from the caller's terminal, and types nothing there" terminal
it "leaves the program three descriptors, and init a socket" descriptors
it "enters no directory that it holds open itself" working_directory
it "lets nobody write its init's report" forged
it "takes from an init only what an init can know" hostile_init
it "refuses /proc, /dev or /sys that the image leads elsewhere" links_for_kernel_mounts
it "follows an image's links for /etc within the container only" links_for_files
it "follows an image's links for volumes and directories within the container only" links_for_volumes
it "follows an image's links through no descriptor of its own" links_by_descriptor
it "follows an image's links through no process of the host's" links_by_process
it "says so where they go round in a circle" link_loops
it "reads no other user list than the image's" links_for_users
it "is not led out by a link that another container swaps in" swapped_volume
it "is not led out by a directory that is moved" moved_directory
it "has nothing above its root" climbing
it "finds nothing of the host from a directory that another container hands it" handed_over
it "undoes no mask by a volume on /proc, /sys or /, nor by a link there" own_volumes_on_kernel
it "mounts on /proc what docker does, and masks it" asked_on_kernel
it "puts no file of the container's on one of the kernel's" own_files_on_kernel
it "mounts on no link that another container swaps in" swapped_place
it "opens no device node that is in a volume" nodes_in_volumes "$MAPPED"
it "takes its own terminal, whatever a volume shows in /dev" swapped_pty
finish_clean

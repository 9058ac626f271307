#!/bin/bash
# Which devices a container has, and which of them it may open.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

# One that docker keeps from containers and that opens on this machine without doing anything.
read -r type major minor spare < <(
	for path in /dev/loop7 /dev/fuse /dev/kmsg /dev/loop0; do
		if [ -e "$path" ] && (: <"$path") 2>/dev/null; then
			if [ -b "$path" ]; then type=b; else type=c; fi
			echo "$type $((0x$(stat -c %t "$path"))) $((0x$(stat -c %T "$path"))) $path"
			break
		fi
	done
)
[ -n "${spare:-}" ] || { echo "1..0 # SKIP no device here that a container should not open"; exit 0; }

held='Operation not permitted'
node="mknod /tmp/spare $type $major $minor"

held_here() { wherry run --device-cgroup-rule "c 1:3 r" busybox true 2>/dev/null; }

usual() {
	local number
	for number in 1:3 1:5 1:7 1:8 1:9; do
		wherry run busybox sh -c "mknod /tmp/x c ${number%:*} ${number#*:} && : </tmp/x"
	done
	# that it has no terminal says the driver, and not the cgroup
	lacks "$(wherry run busybox sh -c 'cat </dev/tty' 2>&1 || [ $? -eq 1 ])" "$held"
	wherry run busybox sh -c ': <>/dev/ptmx; : >/dev/null; [ "$(head -c 3 /dev/zero | wc -c)" -eq 3 ]'
}

# Where making one is refused, as it was for a moment while rules were being written, the host's own is
# bound in its place. Here that moment is long.
own_nodes() {
	strace -qq -o /dev/null -e trace=write -e inject=write:delay_exit=4000 "$WHERRY" --root "$STORE" --state "$STATE" \
		run busybox sh -c "! grep -E ' /dev/(null|zero|full|random|urandom|tty) ' /proc/mounts"
}

made_not_opened() {
	fails_with 1 "can't open '/tmp/spare': $held" wherry run busybox sh -c "$node && [ -$type /tmp/spare ] && cat /tmp/spare"
	fails_with 1 "can't create /tmp/spare: $held" wherry run busybox sh -c "$node && : >/tmp/spare"
	# with every capability too: what holds it is not one of them
	fails_with 1 "$held" wherry run --cap-add ALL busybox sh -c "$node && cat /tmp/spare"
	fails_with 1 "$held" wherry run -m 64M --pids-limit 20 --cpus 1 busybox sh -c "$node && cat /tmp/spare"
}

brought_along() {
	local root=$SCRATCH/brought
	mkdir "$root"
	cp -a "$(rootfs busybox)/." "$root/"
	mknod "$root/spare" "$type" "$major" "$minor"
	fails_with 1 "can't open '/spare'" wherry run "$root" cat /spare
	rm "$root/spare"
}

given() {
	mknod "$SCRATCH/own" "$type" "$major" "$minor"
	chown 12:34 "$SCRATCH/own"
	chmod 0461 "$SCRATCH/own"
	equal "$(wherry run --device "$SCRATCH/own:/dev/deep/er/own" busybox sh -c 'stat -c "%u %g %a %t:%T" /dev/deep/er/own; : </dev/deep/er/own && echo opened')" \
		"$(printf '12 34 461 %x:%x\nopened' "$major" "$minor")"
	equal "$(wherry run --device "$spare" busybox sh -c ": <$spare && ls $spare")" "$spare"
	# docker's other form, and outside /dev
	wherry run --device "$SCRATCH/own:/data/own:rw" busybox sh -c ': </data/own'
	# what every container has may be given once more
	wherry run --device /dev/null busybox sh -c ': >/dev/null'
}

given_in_part() {
	wherry run --device "$spare:r" busybox sh -c ": <$spare"
	fails_with 1 "$held" wherry run --device "$spare:r" busybox sh -c ": >>$spare"
	fails_with 1 "$held" wherry run --device "$spare:w" busybox sh -c ": <$spare"
}

directory() {
	mkdir -p "$SCRATCH/many/below"
	mknod "$SCRATCH/many/one" c 1 11
	mknod "$SCRATCH/many/below/two" b 7 250
	touch "$SCRATCH/many/file"
	equal "$(wherry run --device "$SCRATCH/many:/dev/many" busybox sh -c 'find /dev/many -type b -o -type c -o -type f | sort')" \
		$'/dev/many/below/two\n/dev/many/one'
}

# The way to where a device is to be leads through links of the image's: never out of it.
no_way_out() {
	local root=$SCRATCH/leads-out to
	mkdir "$root" "$SCRATCH/outside"
	cp -a "$(rootfs busybox)/." "$root/"
	mkdir "$root/inside"
	ln -s "$SCRATCH/outside" "$root/way"
	ln -s "../../../../../../../..$SCRATCH/outside" "$root/climb"
	ln -s ../../../inside "$root/within"
	for to in /way/own /climb/deep/own /way; do
		wherry run --device "$spare:$to" "$root" sh -c "[ -$type $to ] && : <$to"
		equal "$(ls -A "$SCRATCH/outside")" ""
	done
	wherry run --device "$spare:/within/own" "$root" sh -c ': </inside/own'
}

# As -v does it: also a link that leads to nothing yet says where, and so does one after the other.
dangling() {
	local root=$SCRATCH/dangling option at
	mkdir "$root"
	cp -a "$(rootfs busybox)/." "$root/"
	mkdir "$root/a"
	ln -s ../b/c "$root/a/link"
	ln -s a/link "$root/first"
	ln -s /dev/zero "$root/zero"
	for option in --device -v; do
		for at in /a/link:/b/c /a/link/x:/b/c/x /first:/b/c /first/y/x:/b/c/y/x; do
			wherry run "$option" "$spare:${at%:*}" "$root" sh -c "[ -$type ${at#*:} ] && [ -L /a/link ]"
		done
	done
	# what is there already and is another
	fails_with 125 "make the device /zero: File exists" wherry run --device "$spare:/zero" "$root" true
	fails_with 125 "make the device /bin: File exists" wherry run --device "$spare:/bin" "$root" true
	wherry run --device /dev/zero:/zero "$root" sh -c '[ -L /zero ]'
	ln -s circle "$root/circle"
	fails_with 125 "make the device /circle/x: Symbolic link loop" wherry run --device "$spare:/circle/x" "$root" true
	fails_with 125 "make the device /bin/sh/x: Not a directory" wherry run --device "$spare:/bin/sh/x" "$root" true
	at=$(printf '/d%.0s' {1..200})
	wherry run --device "$spare:$at" "$root" test "-$type" "$at"
}

rules() {
	wherry run --device-cgroup-rule "$type $major:$minor rwm" busybox sh -c "$node && : </tmp/spare"
	wherry run --device-cgroup-rule "$type $major:* r" busybox sh -c "$node && : </tmp/spare"
	wherry run --device-cgroup-rule "a *:* rwm" busybox sh -c "$node && : </tmp/spare"
	wherry run --device-cgroup-rule "$type *:* rwm" busybox sh -c "$node && : </tmp/spare"
	fails_with 1 "$held" wherry run --device-cgroup-rule "$type $major:$((minor + 1)) rwm" busybox sh -c "$node && : </tmp/spare"
	fails_with 1 "$held" wherry run --device-cgroup-rule "$type $major:$minor w" busybox sh -c "$node && : </tmp/spare"
	fails_with 1 "$held" wherry run --device-cgroup-rule "$([ "$type" = b ] && echo c || echo b) $major:$minor rwm" busybox sh -c "$node && : </tmp/spare"
}

refused() {
	local word
	for word in '' c 'c 1' 'c 1:3' 'c 1:3 ' 'c 1:3 x' 'c 1:3 rr' 'd 1:3 r' 'c -1:3 r' 'c 1:3 rwm x' 'c 1:99999999999 r' 'cc 1:3 r'; do
		fails_with 125 "--device-cgroup-rule" wherry run --device-cgroup-rule "$word" busybox true
	done
	for word in '' dev/null /none "$SCRATCH/store" "$spare:x" "$spare:/:r" "$spare:/dev/x:" "$spare:/dev/../x" "$spare:/dev/x:rwmr"; do
		[ "$word" != "$SCRATCH/store" ] || word=/etc/passwd
		fails_with 125 "--device" wherry run --device "$word" busybox true
	done
}

privileged() {
	wherry run --privileged busybox sh -c "[ -$type $spare ] && : <$spare && $node && : </tmp/spare"
	equal "$(wherry run --privileged busybox sh -c 'ls -A /dev/pts; ls -A /dev/shm; readlink /dev/ptmx')" $'ptmx\npts/ptmx'
	lacks "$(wherry run busybox ls /dev)" "$(basename "$spare")"
}

# As on a board that has mounted nothing yet.
privileged_without() {
	local bare=$SCRATCH/bare
	mkdir "$bare"
	cp "$WHERRY" "$bare/wherry"
	cp "$(image busybox docker)" "$bare/busybox.tar"
	equal "$(unshare --mount --propagation private sh -c 'mount --bind "$0" "$0" && cd "$0" && exec chroot . "$@"' "$bare" \
		/wherry run --privileged /busybox.tar echo runs 2>/dev/null)" runs
}

capability() { wherry run "$@" busybox awk '/CapEff/ { print $2 }' /proc/self/status; }

fourteenth() {
	equal "$(capability)" 00000000a80425fb
	equal "$(capability --cap-drop MKNOD)" 00000000a00425fb
	equal "$(capability --cap-drop ALL)" 0000000000000000
	equal "$(capability --cap-drop ALL --cap-add MKNOD)" 0000000008000000
	equal "$(wherry run -u alice busybox awk '/CapBnd/ { print $2 }' /proc/self/status)" 00000000a80425fb
}

# unheld OPTION…: on a machine where the program is not taken and v1 isn't there
unheld() {
	unshare --mount sh -c 'umount -l /sys/fs/cgroup && exec "$@"' - \
		strace -qq -o /dev/null -e trace=bpf -e inject=bpf:error="$error" "$WHERRY" --root "$STORE" --state "$STATE" run "$@"
}

not_held() {
	local error
	for error in ENOSYS EINVAL EPERM; do
		equal "$(unheld busybox awk '/CapEff/ { print $2 }' /proc/self/status)" 00000000a00425fb
	done
	equal "$(unheld --cap-add MKNOD busybox awk '/CapEff/ { print $2 }' /proc/self/status)" 00000000a80425fb
	fails_with 1 "can't open '/tmp/spare': Permission denied" unheld --cap-add MKNOD busybox sh -c "$node && cat /tmp/spare"
	unheld --device "$spare" busybox sh -c ": <$spare"
	fails_with 125 "--device: nothing here can hold a container to its devices" unheld --device "$spare:r" busybox true
	fails_with 125 "--device-cgroup-rule: nothing here" unheld --device-cgroup-rule 'c 1:3 r' busybox true
	error=ENOMEM
	fails_with 125 "hold the container to its devices: Out of memory" unheld busybox true
}

by_program() {
	fails_with 1 "can't open '/tmp/spare': $held" unshare --mount sh -c 'umount -l /sys/fs/cgroup && exec "$@"' - \
		"$WHERRY" --root "$STORE" --state "$STATE" run busybox sh -c "$node && cat /tmp/spare"
}

if held_here; then
	it "lets a container open what docker does" usual
	it "makes nodes of its own, however long its rules take to write" own_nodes
	it "lets it make nodes of anything, and open none of them" made_not_opened
	it "opens no device that an image brings" brought_along
	it "--device gives part of the rights" given_in_part
	it "--device-cgroup-rule allows what it names, and nothing beside it" rules
	it "gives docker's fourteen capabilities" fourteenth
	if [ -d /sys/fs/cgroup/unified ] || [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		it "holds by a program where no cgroup is mounted" by_program
		it "gives no CAP_MKNOD, and opens no node on the root, where nothing holds" not_held
	else
		skip "holds by a program where no cgroup is mounted" "this kernel has no cgroup v2"
		skip "gives no CAP_MKNOD, and opens no node on the root, where nothing holds" "this kernel has no cgroup v2"
	fi
else
	skip "lets a container open what docker does, and nothing else" "this machine has no device cgroup"
fi
it "--device gives a device, with its owner and mode, where it is wanted" given
it "--device gives all that are in a directory" directory
it "--device leads nowhere out of the root" no_way_out
it "follows links that lead to nothing yet, as -v does" dangling
it "refuses what is no device and no rule" refused
it "--privileged gives all of the host's, and terminals of its own" privileged
it "--privileged does without a /dev" privileged_without
finish_clean

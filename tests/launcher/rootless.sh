#!/bin/bash
# Everything as an ordinary user, in a user namespace of their own.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/images.sh"
. "$TOP/tests/lib/debian.sh"

if [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # SKIP adding a user needs root"
	exit 0
fi

# A user who has nothing but a home, with or without subordinate ids: removed at the end.
NAME=wherry-test-${ID,,}
add_user() {
	useradd -M -d "$SCRATCH/home" "$NAME"
	mkdir -p "$SCRATCH/home"
	cp "$WHERRY" "$SCRATCH/wherry"
	chown -R "$NAME" "$SCRATCH/home"
	chmod 755 "$SCRATCH" "$SCRATCH/wherry"
}

# as_user COMMAND…: with newuidmap in reach. alone COMMAND…: without.
as_user() {
	setpriv --reuid "$NAME" --regid "$NAME" --init-groups env -i HOME="$SCRATCH/home" PATH="$PATH" \
		timeout -k 5 "$PATIENCE" "$@"
}
alone() { as_user env PATH=/nowhere "$@"; }

user_wherry() { as_user "$SCRATCH/wherry" "$@"; }
alone_wherry() { alone "$SCRATCH/wherry" "$@"; }

# What keeps user namespaces from ordinary users here; nothing where they only should work and don't.
forbidden() {
	local setting
	for setting in user/max_user_namespaces=0 kernel/unprivileged_userns_clone=0 \
		kernel/apparmor_restrict_unprivileged_userns=1; do
		if [ "$(cat "/proc/sys/${setting%=*}" 2>/dev/null)" = "${setting#*=}" ]; then echo "${setting//\//.}"; fi
	done
}

load() {
	cp "$(image busybox docker)" "$SCRATCH/busybox.tar"
	chmod 644 "$SCRATCH/busybox.tar"
	user_wherry load "$SCRATCH/busybox.tar"
	contains "$(user_wherry images)" busybox
	[ -d "$SCRATCH/home/.local/share/wherry/layers" ]
}

is_root_inside() {
	equal "$(user_wherry run busybox id -u)" 0
	equal "$(alone_wherry run busybox id -u)" 0
}

is_user_outside() {
	local pid
	user_wherry run --name sleeper busybox sleep 60 &
	pid=$!
	for _ in $(seq 100); do
		pgrep -u "$NAME" -f '^sleep 60' >/dev/null && break
		sleep 0.05
	done
	equal "$(ps -o user:32= -p "$(pgrep -f '^sleep 60' -u "$NAME")")" "$NAME"
	pkill -u "$NAME" -f '^wherry-init'
	wait $pid || true
}

other_users() {
	contains "$(user_wherry run -u 1234:1234 busybox id)" "uid=1234"
	fails_with 125 "become user 1234" alone_wherry run -u 1234:1234 busybox id
}

# As newuidmap maps them: all of the user's ranges, behind the user's own id.
all_ranges() {
	local file
	for file in /etc/subuid /etc/subgid; do echo "$NAME:3000000000:10" >>"$file"; done
	equal "$(user_wherry run busybox sh -c 'tail -n 1 /proc/self/uid_map; tail -n 1 /proc/self/gid_map' | tr -s ' ')" \
		$' 65537 3000000000 10\n 65537 3000000000 10'
	contains "$(user_wherry run -u 65546:65546 busybox id)" "uid=65546"
	sed -i "/^$NAME:3000000000:10$/d" /etc/subuid /etc/subgid
}

writes_stay_inside() {
	user_wherry run busybox sh -c 'echo x >/file; cat /file' >/dev/null
	fails_with 1 "No such file" user_wherry run busybox cat /file
}

overlay_kept() {
	user_wherry run --overlay "$SCRATCH/home/kept" busybox sh -c 'echo x >/file; rm /etc/passwd'
	equal "$(user_wherry run --overlay "$SCRATCH/home/kept" busybox cat /file)" x
	fails_with 1 "No such file" user_wherry run --overlay "$SCRATCH/home/kept" busybox cat /etc/passwd
	user_wherry run --overlay disk busybox sh -c 'echo x >/file'
	equal "$(ls "$SCRATCH/home/.local/share/wherry/tmp")" ""
}

networks() {
	equal "$(user_wherry run busybox ls /sys/class/net)" lo
	[ "$(user_wherry run --network host busybox ls /sys/class/net)" = "$(ls /sys/class/net)" ]
	fails_with 1 "Read-only" user_wherry run --network host busybox touch /sys/file
}

# A /proc of the host's processes is not a user namespace's to mount: the host's own is shown.
host_pids() {
	local own
	own=$(readlink /proc/self/ns/pid)
	equal "$(user_wherry run --pid host busybox readlink /proc/self/ns/pid)" "$own"
	equal "$(alone_wherry run --pid host busybox sh -c 'cat /proc/$$/comm; :')" sh
	fails_with 1 "Read-only" user_wherry run --pid host busybox touch /proc/sys/kernel/core_pattern
	equal "$(user_wherry run --pid host busybox sh -c 'wc -c </proc/keys; wc -c </proc/timer_list')" $'0\n0'
	fails_with 1 "Permission denied" user_wherry run --pid host busybox ls /proc/1/root/
	fails_with 3 ended user_wherry run --pid host busybox sh -c 'sleep 984 & echo ended >&2; exit 3'
	equal "$(pgrep -fx "sleep 984" | wc -l)" 0
}

devices() {
	user_wherry run busybox sh -c 'echo x >/dev/null && head -c 1 /dev/urandom >/dev/null && [ -c /dev/zero ]'
	equal "$(user_wherry run busybox sh -c 'dd if=/dev/zero bs=5 count=1 2>/dev/null | wc -c')" 5
}

no_host_files() {
	# what only root may read stays so, whoever one is inside
	chmod 600 "$SCRATCH/busybox.tar"
	fails_with 1 "Permission denied" user_wherry run -v "$SCRATCH:/mnt" busybox cat /mnt/busybox.tar
	chmod 644 "$SCRATCH/busybox.tar"
}

# The Debian image has files of groups like shadow and of the user 100000.
owners() {
	local store=$SCRATCH/home/alone said
	cp "$(image debian docker)" "$SCRATCH/debian.tar"
	chmod 644 "$SCRATCH/debian.tar"
	said=$(alone_wherry --root "$store" load "$SCRATCH/debian.tar" 2>&1)
	equal "$(grep -c "owners are left out" <<<"$said")" 1
	contains "$(alone_wherry --root "$store" run debian perl -e 'print "perl runs\n"')" "perl runs"
	equal "$(alone_wherry --root "$store" run debian find / -xdev -not -user root -not -path /proc -not -path /sys)" ""
	equal "$(alone_wherry --root "$store" run debian stat -c %a /usr/bin/chage)" 755
	equal "$(alone_wherry --root "$store" run debian ls /usr/share/doc /usr/share/bug)" \
		$'/usr/share/bug:\n\n/usr/share/doc:\nREADME'
	alone_wherry --root "$store" rmi debian >/dev/null
}

# One line for all layers of a load, whatever reads them.
no_devices() {
	local said
	python3 "$TOP/tests/rootfs/layers.py" "$SCRATCH/devices.tar" devices "$IMAGES/busybox.layers"/*.tar
	chmod 644 "$SCRATCH/devices.tar"
	said=$(user_wherry load -q "$SCRATCH/devices.tar" 2>&1 >/dev/null)
	equal "$said" "wherry: device nodes are left out: they can't be made without root's rights"
	equal "$(user_wherry run devices sh -c 'echo /one-* /two-*')" "/one-file /two-file"
	user_wherry rmi devices >/dev/null
}

no_shared_volumes() {
	fails_with 125 "/data: from a user namespace no mount reaches the host" \
		user_wherry run -v "$SCRATCH/home:/data:rshared" busybox true
	user_wherry run -v "$SCRATCH/home:/data:rslave" busybox true
	fails_with 125 "in a user namespace what is mounted below it cannot be left out" \
		user_wherry run --mount type=bind,src=/,dst=/data,bind-recursive=disabled busybox true
}

removes() {
	user_wherry rmi busybox
	equal "$(ls "$SCRATCH/home/.local/share/wherry/images" "$SCRATCH/home/.local/share/wherry/tmp" | grep -v :)" ""
}

own_etc
add_user
why=$(forbidden)
if [ -n "$why" ] && ! as_user unshare --user --map-root-user --mount true 2>"$SCRATCH/refused"; then
	echo "1..0 # SKIP ${why//$'\n'/, }: $(tail -n 1 "$SCRATCH/refused")"
	userdel "$NAME"
	exit 0
fi
it "loads an image into the user's own store" load
it "is root inside, with and without subordinate ids" is_root_inside
it "is that user outside" is_user_outside
it "has other users where there are subordinate ids, and says so where not" other_users
it "has all the subordinate ids, where they are in several ranges" all_ranges
it "writes to RAM" writes_stay_inside
it "keeps a writable layer, whiteouts too" overlay_kept
it "has a network of its own, or sees the host's" networks
it "sees the host's processes" host_pids
it "has the standard devices" devices
it "reads nothing of the host's that the user may not" no_host_files
it "loads a whole distribution with one id, and says what that leaves out" owners
it "leaves device nodes out, and warns once for all layers" no_devices
it "refuses a volume that could not be shared" no_shared_volumes
it "removes images" removes
userdel "$NAME"
finish

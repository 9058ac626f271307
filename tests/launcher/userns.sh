#!/bin/bash
# --userns, by root: root in the container is nobody outside. For users who are not: rootless.sh.
. "$(dirname "$0")/../lib/lib.sh"
own_etc
. "$TOP/tests/lib/launch.sh"

# Ids for a user who exists in these two files alone, and one more who is a number; taken back at the end.
# Other ids for each run, so that what is left by one is not another's.
NAME=wherry-ids-$ID
NUMBER=$((1800000000 + NUMBER_OF_ID)) MANY=$NAME-many
UIDS=$((100000000 + NUMBER_OF_ID * 65536)) GIDS=$((1000000000 + NUMBER_OF_ID * 65536))
give_ids() {
	local who
	for who in "$NAME" "$NUMBER"; do
		echo "$who:$UIDS:65536" >>/etc/subuid
		echo "$who:$GIDS:65536" >>/etc/subgid
	done
	# the second goes on where the first ends, the third is a part of it, the fourth stands alone
	for who in "$UIDS:1000" "$((UIDS + 1000)):500" "$((UIDS + 200)):5" "$((UIDS + 9000)):70"; do
		echo "$MANY:$who" >>/etc/subuid
	done
	# more of them, and longer, than the kernel takes in one page
	for who in {0..199}; do echo "$MANY:$((GIDS + who * 3)):1"; done >>/etc/subgid
}
take_ids() { sed -i "/^\($NAME\|$NUMBER\|$MANY\):/d" /etc/subuid /etc/subgid; }
trap 'take_ids; scratch_remove' EXIT
give_ids

shifted() { wherry run --userns "$NAME" "$@"; }

load busybox layered many
# What this machine may lack, in wherry's words; any other failure is one of the tests.
lacking='Linux 5.12|since Linux 5.19|file system has to support that|user.max_user_namespaces'
if ! shifted busybox true 2>"$SCRATCH/why" && grep -qE "$lacking" "$SCRATCH/why"; then
	echo "1..0 # SKIP $(paste -sd ' ' "$SCRATCH/why")"
	exit 0
fi

# What the layers are on the disk, as far as a shifted copy, or a shift of themselves, would show.
layers_now() { find "$STORE/layers" "$STORE/images" -printf '%P %y %U %G %m %s %T@ %C@ %i\n' | sort; }
layers_before=$(layers_now)

is_root_inside() {
	equal "$(shifted busybox sh -c 'id -u; id -g')" $'0\n0'
	equal "$(shifted busybox sh -c 'cat /proc/self/uid_map /proc/self/gid_map | tr -s " "')" \
		" 0 $UIDS 65536"$'\n'" 0 $GIDS 65536"
	equal "$(wherry run --userns "$NUMBER" busybox sh -c 'cat /proc/self/uid_map | tr -s " "')" " 0 $UIDS 65536"
	equal "$(wherry run --userns host busybox cat /proc/self/uid_map)" "$(cat /proc/self/uid_map)"
}

has_all_ranges() {
	equal "$(wherry run --userns "$MANY" busybox sh -c 'tr -s " " </proc/self/uid_map; wc -l </proc/self/gid_map; tail -n 1 /proc/self/gid_map | tr -s " "')" \
		" 0 $UIDS 1500"$'\n'" 1500 $((UIDS + 9000)) 70"$'\n124\n'" 123 $((GIDS + 123 * 3)) 1"
	start out --userns "$MANY" -u 1569:123 busybox sh -c 'echo up; exec tool -hang'
	equal "$(ids_of "$(inside "$started" tool)")" "$((UIDS + 9069)) $((GIDS + 369))"
	kill "$started"
	ends "$started" 143
	fails_with 125 "1570 user and 124 group ids" wherry run --userns "$MANY" -u 1570:0 busybox true
	# its own files in a layer that is kept, whichever range they are of
	wherry run --userns "$MANY" --overlay "$SCRATCH/ranges" busybox sh -c 'touch /f; chown 1569:123 /f; chown 1501 /'
	equal "$(stat -c '%u %g' "$SCRATCH/ranges/upper/f")" "$((UIDS + 9069)) $((GIDS + 369))"
	equal "$(wherry run --userns "$MANY" --overlay "$SCRATCH/ranges" busybox stat -c '%u %g' /f)" "1569 123"
}

# The host's own would be nobody's; theirs are the numbers that the host's have.
owns_devices() {
	mknod -m 640 "$SCRATCH/zero" c 1 5
	chown 12:34 "$SCRATCH/zero"
	equal "$(shifted --device /dev/zero:/dev/own --device "$SCRATCH/zero:/deep/zero" busybox sh -c \
		'stat -c "%u %g %a %t %T" /dev/own /deep/zero; head -c 3 /dev/own | wc -c; head -c 3 /deep/zero | wc -c')" \
		$'0 0 666 1 5\n12 34 640 1 5\n3\n3'
	fails_with 1 "Permission denied" shifted -u 1000 --device "$SCRATCH/zero:/zero" busybox head -c 3 /zero
	equal "$(stat -c '%u %g' "$SCRATCH/zero")" "12 34"
	# without the right to make any, the host's, as they are
	equal "$(setpriv --bounding-set=-mknod --inh-caps=-mknod "$WHERRY" --root "$STORE" --state "$STATE" run --userns "$NAME" \
		--device /dev/zero:/zero busybox stat -c '%u %g' /zero)" "65534 65534"
}

# ids_of PID: the real user and group, from outside
ids_of() { awk '/^[UG]id:/ { print $2 }' "/proc/$1/status" | paste -sd ' '; }

is_nobody_outside() {
	start out --userns "$NAME" busybox sh -c 'echo up; exec tool -hang'
	equal "$(ids_of "$(inside "$started" tool)")" "$UIDS $GIDS"
	equal "$(ids_of "$(inside "$started" wherry-init)")" "$UIDS $GIDS"
	equal "$(awk '/^Groups:/ { print $2 }' "/proc/$(inside "$started" wherry-init)/status")" "$GIDS"
	kill "$started"
	ends "$started" 143
}

other_user() {
	contains "$(shifted -u 1000 busybox id)" 'uid=1000(alice) gid=1000(alice) groups=29(audio),44(video)'
	start out --userns "$NAME" -u bob busybox sh -c 'echo up; exec tool -hang'
	equal "$(ids_of "$(inside "$started" tool)")" "$((UIDS + 1001)) $((GIDS + 100))"
	kill "$started"
	ends "$started" 143
	fails_with 125 "65536 user and 65536 group ids" shifted -u 70000 busybox true
}

owns_what_is_roots() {
	equal "$(shifted busybox find / -xdev -not -user 0 -not -path /proc -not -path /sys)" ""
	equal "$(shifted busybox stat -c '%u %g %a' / /etc/passwd /etc/hosts /dev /dev/pts /dev/shm /dev/mqueue)" \
		$'0 0 755\n0 0 644\n0 0 644\n0 0 755\n0 0 755\n0 0 1777\n0 0 1777'
	equal "$(shifted busybox sh -c 'echo x >>/etc/motd; chown 5:6 /etc/motd; stat -c "%u %g" /etc/motd; cat /etc/motd')" \
		$'5 6\nmade in a layer\nx'
	equal "$(shifted busybox sh -c 'echo x >/dev/null && head -c 3 /dev/zero | wc -c')" 3
}

# Nothing of the host's that only its root may write, read, or reach.
no_rights_outside() {
	mkdir -p "$SCRATCH/private"
	echo secret >"$SCRATCH/private/file"
	chmod 600 "$SCRATCH/private/file"
	fails_with 1 "Permission denied" shifted -v "$SCRATCH/private:/v" busybox cat /v/file
	fails_with 1 "Permission denied" shifted -v "$SCRATCH/private:/v" busybox touch /v/new
	fails_with 1 "Operation not permitted" shifted -v "$SCRATCH/private:/v" busybox chown 0 /v/file
	fails_with 1 "Operation not permitted" shifted --cap-add MKNOD busybox mknod /disk b 8 0
	equal "$(shifted busybox sh -c 'grep " / / " /proc/self/mountinfo | cut -d " " -f 6')" rw,nodev,relatime
}

volumes() {
	mkdir "$SCRATCH/open"
	chmod 777 "$SCRATCH/open"
	shifted -v "$SCRATCH/open:/v" busybox sh -c 'touch /v/root; touch /v/other; chown 12:34 /v/other'
	equal "$(stat -c '%u %g' "$SCRATCH/open/root" "$SCRATCH/open/other")" "$UIDS $GIDS"$'\n'"$((UIDS + 12)) $((GIDS + 34))"
	# one that it makes is the container's own
	shifted -v "$SCRATCH/open/made:/v" busybox touch /v/file
	equal "$(stat -c '%u %g' "$SCRATCH/open/made" "$SCRATCH/open/made/file")" "$UIDS $GIDS"$'\n'"$UIDS $GIDS"
	fails_with 1 "Read-only" shifted -v "$SCRATCH/open:/v:ro" busybox touch /v/x
}

layers() {
	equal "$(shifted layered sh -c 'cat /a/over /becomes-dir/in /becomes-file /dir/new; ls /dir /a; ls /dir/fresh')" \
		$'two\nin\nfile\nnew\n/a:\nlinked\nlinked-too\nover\n\n/dir:\nfresh\nnew'
	equal "$(shifted layered sh -c 'rm -r /a /dir/new; mkdir /a; ls -A /a /dir')" $'/a:\n\n/dir:\nfresh'
	equal "$(shifted many sh -c 'ls /layers | wc -l; cat /count')" $'60\n62'
}

file_system_images() {
	local kind
	mksquashfs "$(rootfs busybox)" "$SCRATCH/box.squashfs" -quiet -all-root >/dev/null
	mkfs.erofs "$SCRATCH/box.erofs" "$(rootfs busybox)" >/dev/null 2>&1
	for kind in squashfs erofs; do
		equal "$(shifted "$SCRATCH/box.$kind" /bin/sh -c '/bin/stat -c "%u %g" /bin/busybox; /bin/cat /srv/message')" \
			$'0 0\nfrom the second layer'
	done
}

overlay_directory() {
	local dir=$SCRATCH/kept
	shifted --overlay "$dir" busybox sh -c 'echo x >/file; rm /etc/passwd'
	equal "$(shifted --overlay "$dir" busybox cat /file)" x
	fails_with 1 "No such file" shifted --overlay "$dir" busybox cat /etc/passwd
	equal "$(stat -c '%u %g' "$dir/upper" "$dir/upper/file")" "$UIDS $GIDS"$'\n'"$UIDS $GIDS"
	# one that was filled by hand
	mkdir -m 700 "$SCRATCH/roots"
	mkdir "$SCRATCH/roots/upper"
	fails_with 125 "belongs to user 0, who is not one of the container's" \
		shifted --overlay "$SCRATCH/roots" busybox true
}

# Who wrote a layer first is who writes it ever after; where nothing came to be written, nobody has.
overlay_writers() {
	local dir=$SCRATCH/first with="with --userns, users from $UIDS and groups from $GIDS on"
	wherry run --overlay "$dir" busybox sh -c 'echo x >/file'
	fails_with 125 "--overlay $dir was written by root, without --userns; this run is $with" \
		shifted --overlay "$dir" busybox true
	equal "$(wherry run --overlay "$dir" busybox cat /file)" x
	shifted --overlay "$SCRATCH/second" busybox touch /file
	fails_with 125 "--overlay $SCRATCH/second was written $with; this run is by root, without --userns" \
		wherry run --overlay "$SCRATCH/second" busybox true
	fails_with 125 "; this run is without root, by user 0" unshare -r "$WHERRY" --root "$STORE" --state "$STATE" \
		run --overlay "$dir" busybox true
	equal "$(shifted --overlay "$SCRATCH/second" busybox stat -c %u /file)" 0
	# fails before there is an upper directory
	fails_with 125 "/no/such/file" shifted --overlay "$SCRATCH/third" --cidfile /no/such/file busybox true
	[ -e "$SCRATCH/third/writer" ]
	wherry run --overlay "$SCRATCH/third" busybox true
	equal "$(ls "$dir")" $'upper\nwork\nwriter'
}

overlay_disk() {
	equal "$(shifted --overlay disk busybox sh -c 'touch /x; stat -c %u /x')" 0
	equal "$(ls -A "$STORE/tmp")" ""
}

networks() {
	equal "$(shifted busybox sh -c 'ls /sys/class/net; cat /sys/class/net/lo/flags')" $'lo\n0x9'
	equal "$(shifted --network host busybox ls /sys/class/net)" "$(ls /sys/class/net)"
	fails_with 1 "Read-only" shifted --network host busybox touch /sys/file
	equal "$(shifted --sysctl net.ipv4.ip_forward=1 busybox cat /proc/sys/net/ipv4/ip_forward)" 1
}

limits() {
	fails_with 137 "reached its limit of 32 MiB" shifted -m 32M busybox tool -mb 100
	contains "$(shifted --pids-limit 10 busybox tool -fork 50 2>&1 || [ $? -eq 137 ])" "Resource temporarily unavailable"
}

terminal() {
	timeout -k 5 "$PATIENCE" script -qec "'$WHERRY' --root '$STORE' --state '$STATE' run --userns $NAME -it busybox \
		sh -c 'test -t 0 && stat -c \"%u %t\" /dev/console && echo x >/dev/tty'" /dev/null >"$SCRATCH/tty" </dev/null
	# script(1) types an end of file, which the terminal may echo
	equal "$(tr -d '\r\000' <"$SCRATCH/tty" | sed 's/^^@//')" $'0 88\nx'
}

# SCRATCH is open to root alone; nobody in the container needs to get through it, but something has to.
state_anywhere() {
	mkdir -m 700 "$SCRATCH/closed"
	equal "$(timeout "$PATIENCE" "$WHERRY" --root "$STORE" --state "$SCRATCH/closed/state" run --userns "$NAME" busybox id -u)" 0
}

refused() {
	fails_with 125 "gives wherry-nobody no ids" wherry run --userns wherry-nobody busybox true
	fails_with 125 "gives 1799999999 no ids" wherry run --userns 1799999999 busybox true
	fails_with 125 "--userns and --pid host exclude each other" shifted --pid host busybox true
	fails_with 125 "--userns and --privileged exclude each other" shifted --privileged busybox true
	fails_with 125 "wants wherry to be run by root" unshare -r "$WHERRY" --root "$STORE" --state "$STATE" \
		run --userns "$NAME" busybox true
	fails_with 125 "bind /no/such/source" shifted --mount type=bind,source=/no/such/source,target=/x busybox true
}

# injected FAULT WORDS: what an older kernel, or one with less in it, makes of it
injected() {
	fails_with 125 "$2" timeout -k 5 "$PATIENCE" strace -f -o "$SCRATCH/trace" -e "inject=$1" "$WHERRY" --root "$STORE" \
		--state "$STATE" run --name "u$ID" --userns "$NAME" busybox true
	equal "$(ls -A "$STATE")" ""
}

old_kernels() {
	injected mount_setattr:error=ENOSYS "Linux 5.12"
	injected mount_setattr:error=EINVAL "file system has to support that"
	injected clone3:error=ENOSPC "user.max_user_namespaces"
	injected clone:error=EAGAIN "start a process with mounts of its own"
	injected move_mount:error=EPERM:when=2 "Operation not permitted"
}

# the first mount after the tmpfs is the overlay
old_overlay() {
	local when
	for when in {1..8}; do
		strace -f -o "$SCRATCH/trace" -e "inject=mount:error=EINVAL:when=$when" "$WHERRY" --root "$STORE" --state "$STATE" \
			run --userns "$NAME" busybox true 2>"$SCRATCH/said" || [ $? -eq 125 ]
		if grep -q "mount overlay" "$SCRATCH/said"; then
			contains "$(cat "$SCRATCH/said")" "since Linux 5.19"
			return
		fi
	done
	return 1
}

# /proc/self belongs to it, although its ids have changed.
own_proc() { equal "$(shifted --oom-score-adj 100 busybox cat /proc/self/oom_score_adj)" 100; }

gone() { ! kill -0 "$@" 2>/dev/null; }
killed() {
	local pids attempt pid
	start out --userns "$NAME" --name "u$ID" busybox sh -c 'tool -hang & echo up; exec tool -hang'
	pids="$(inside "$started" wherry-init) $(inside "$started" tool)"
	kill -KILL "$started"
	ends "$started" 137
	# shellcheck disable=SC2086
	eventually gone $pids
	for attempt in {1..30}; do
		"$WHERRY" --root "$STORE" --state "$STATE" run --userns "$NAME" --name "u$ID-$attempt" busybox tool -hang >"$SCRATCH/any" 2>&1 &
		pid=$!
		sleep "$(printf '0.%04d' $((attempt * 3)))"
		kill -KILL "$pid"
		ends "$pid" 137
	done
	nobody_has_the_ids() { ! pgrep -u "$UIDS" >/dev/null; }
	eventually nobody_has_the_ids
	wherry run busybox true
	equal "$(ls -A "$STATE")" ""
}

layers_unchanged() { equal "$(layers_now)" "$layers_before"; }

it "has its user's ids, found by name or number, and is root inside" is_root_inside
it "is nobody outside" is_nobody_outside
it "has all the ranges that its user has" has_all_ranges
it "owns the devices that it is given" owns_devices
it "becomes other users, as far as there are ids" other_user
it "owns what root owns in the image" owns_what_is_roots
it "has no rights over the host's files and devices" no_rights_outside
it "leaves files with its own ids in a volume, and owns a directory that -v makes" volumes
it "stacks layers, whiteouts and opaque directories, sixty of them too" layers
it "maps the owners in squashfs and EROFS files" file_system_images
it "--overlay DIR keeps files with its own ids, and no others" overlay_directory
it "--overlay DIR is refused to whom it would show others' files" overlay_writers
it "--overlay disk works and is removed" overlay_disk
it "has a network of its own, or sees the host's" networks
if limits_here memory && limits_here pids; then
	it "keeps to its limits" limits
else
	skip "keeps to its limits" "no memory and pids controllers here"
fi
it "has a terminal" terminal
it "writes to its own /proc" own_proc
it "needs no way to its state directory" state_anywhere
it "refuses users without ids, and what a user namespace cannot have" refused
it "says what an older kernel lacks" old_kernels
it "says which Linux has overlays on mapped layers" old_overlay
it "leaves nothing behind kill -9, at whatever moment" killed
it "leaves the layers as they are on the disk" layers_unchanged
finish_clean

#!/bin/bash
# What other container tools were caught at from 2022 to 2025, tried on wherry: a sentence each, named by its CVE. Where
# the same is tried more thoroughly elsewhere, that is named. Not here, for want of the part that they are about: registries,
# builds, a daemon, kube files, checkpoints.
#
#	CVE-2024-21626 (runc: a working directory in a leaked descriptor)	escape.sh, "enters no directory …"
#	CVE-2024-45310 (runc: mkdir through a link swapped meanwhile)		escape.sh, "is not led out by a link …"
#	CVE-2024-25621 (containerd: its directories are open to all)		directories.sh
#	CVE-2024-9341, -2024-1753 (podman, buildah: links for mounts)		escape.sh, "follows an image's links …"
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

# evil: a copy of the image's tree, in $root, to be made hostile.
evil() {
	root=$SCRATCH/evil
	rm -rf "$root"
	cp -a "$(rootfs busybox)" "$root"
}

# Whether what sets up the machine can be written, wherever procfs is.
procfs_is_masked() { # OPTION…
	wherry run "$@" sh -c '
		for file in sys/kernel/core_pattern sysrq-trigger irq/default_smp_affinity; do
			(: >>/proc/$file) 2>/dev/null && echo "writes $file"
		done
		for file in kcore keys timer_list; do
			[ -z "$(head -c 1 /proc/$file 2>/dev/null)" ] || echo "reads $file"
		done
		grep -c . /proc/self/status >/dev/null && echo masked'
}

# runc: /proc is a link of the image's, so that the masks go elsewhere.
proc_is_a_link() {
	evil
	rm -rf "$root/proc"
	mkdir -p "$root/fake/self"
	for to in fake /fake ../fake; do
		ln -sfn "$to" "$root/proc"
		fails_with 125 "mount /proc: the image has something there that is no directory" wherry run "$root" true
	done
	equal "$(procfs_is_masked busybox)" masked
	contains "$(procfs_is_masked --privileged busybox)" "writes sys/kernel/core_pattern"
}

# runc, rootless: the cgroup file system is the host's own, and writable.
cgroups_are_read_only() { # OPTION…
	wherry run -m 64M --pids-limit 50 "$@" busybox sh -c '
		for dir in /sys/fs/cgroup /sys/fs/cgroup/*; do
			[ -d "$dir" ] || continue
			mkdir "$dir/made" 2>/dev/null && { rmdir "$dir/made"; echo "writes $dir"; }
		done
		echo end'
}

cgroups_held() {
	equal "$(cgroups_are_read_only)" end
	equal "$(cgroups_are_read_only --userns "$BASE_USER")" end
	equal "$(cgroups_are_read_only --userns "$BASE_USER" --network host)" end
	contains "$(cgroups_are_read_only --privileged)" writes
}

# runc, youki: what a file is masked with, the container's /dev/null, is a link of the image's, or the image has /dev/console.
dev_null_is_a_link() {
	evil
	mkdir -p "$root/dev"
	ln -s /proc/sys/kernel/core_pattern "$root/dev/null"
	ln -s /proc/sys/kernel/core_pattern "$root/dev/console"
	equal "$(procfs_is_masked "$root")" masked
	equal "$(wherry run "$root" stat -c %t:%T:%F /dev/null)" "1:3:character special file"
	equal "$(timeout 60 script -qec "$WHERRY --root $STORE --state $STATE run -t $root stat -c %F /dev/console" /dev/null </dev/null |
		tr -d '\r')" "character special file"
}

# runc: a write to procfs, such as that of a sysctl or a label, lands in a file that the container chose.
procfs_is_replaced() {
	local target
	for target in /proc /proc/self /proc/sys /proc/self/attr /proc/1; do
		fails_with 125 "$target" wherry run --tmpfs "$target" busybox true
		fails_with 125 "$target" wherry run -v "$SCRATCH:$target" busybox true
		fails_with 125 "$target" wherry run --mount "type=tmpfs,dst=$target" busybox true
	done
	evil
	ln -s /proc/sys "$root/data"
	fails_with 125 "/data" wherry run -v /data --sysctl net.ipv4.ip_forward=1 "$root" true
}

# containerd, podman, buildah: supplementary groups that are not the program's, or lack its own.
groups() {
	evil
	printf 'root:x:0:\nstaff:x:50:alice\nsecret:x:60:bob\nown:x:1000:\n' >"$root/etc/group"
	printf 'root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:1000::/:/bin/sh\n' >"$root/etc/passwd"
	equal "$(wherry run -u alice "$root" sh -c 'id -G | tr " " "\n" | sort -n | tr "\n" " "')" "50 1000 "
	equal "$(wherry run -u 1000:1000 "$root" sh -c 'id -G')" 1000
	equal "$(wherry run -u alice:secret "$root" sh -c 'id -G')" 60
	equal "$(wherry run -u 4444 "$root" sh -c 'id -G')" 0
}

# containerd: a number of a user that is too large becomes root's.
large_users() {
	local user
	for user in 4294967295 4294967296 4294967296:0 18446744073709551616 -1 -- 0x0 "" " 0" 0:4294967296 0:4294967295; do
		if wherry run -u "$user" busybox id -u >"$SCRATCH/out" 2>&1; then
			[ -z "$user" ] || { echo "takes '$user': $(cat "$SCRATCH/out")"; return 1; }
		fi
	done
	equal "$(wherry run -u 2147483648 busybox id -u)" 2147483648
	equal "$(wherry run -u 4294967294 busybox id -u)" 4294967294
}

# podman, buildah: words behind the propagation reach mount(2).
propagation_words() {
	local word
	for word in shared,suid shared:dev rshared,exec,dev "shared suid" ../../x ""; do
		fails_with 125 "" wherry run --mount "type=bind,src=$SCRATCH,dst=/x,bind-propagation=$word" busybox true
	done
	fails_with 125 "" wherry run -v "$SCRATCH:/x:shared,nonsense" busybox true
}

# podman (userns=auto): the image's user list is a link to the host's, a pipe, or endless.
user_lists() {
	evil
	echo "leak:x:4444:4444::/leak:/bin/sh" >"$SCRATCH/passwd"
	ln -sf "$SCRATCH/passwd" "$root/etc/passwd"
	fails_with 125 "leak" wherry run -u leak "$root" true
	rm "$root/etc/passwd"
	mkfifo "$root/etc/passwd"
	fails_with 125 "leak" timeout 20 "$WHERRY" --root "$STORE" --state "$STATE" run -u leak "$root" true
	rm "$root/etc/passwd"
	ln -s /dev/zero "$root/etc/passwd"
	fails_with 125 "leak" timeout 20 "$WHERRY" --root "$STORE" --state "$STATE" run -u leak "$root" true
}

# podman: what a new volume is given is read through a link, and so from the host.
volume_copies() {
	evil
	echo secret >"$SCRATCH/secret"
	mkdir "$root/srv/data"
	ln -s "$SCRATCH/secret" "$root/srv/data/file"
	ln -s "$SCRATCH" "$root/srv/data/dir"
	wherry run -v "copied:/srv/data" "$root" true
	[ -L "$STORE/volumes/copied/_data/file" ] || [ -L "$STORE/volumes/copied/file" ]
	equal "$(grep -rsl secret "$STORE/volumes" || true)" ""
	wherry volume rm copied >/dev/null
}

# containers/image: a digest that is none becomes a path.
digests_as_paths() {
	local digest
	for digest in "sha256:../../../../../../..$SCRATCH/target" "sha256:" "../x" "sha256:$(printf '%064d' 0)/../x" "md5:x"; do
		rm -rf "$SCRATCH/layout"
		mkdir -p "$SCRATCH/layout/blobs/sha256"
		echo '{"imageLayoutVersion":"1.0.0"}' >"$SCRATCH/layout/oci-layout"
		echo '{}' >"$SCRATCH/target"
		python3 -c 'import json, sys; print(json.dumps({"schemaVersion": 2, "manifests": [{"size": 3,
			"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": sys.argv[1]}]}))' \
			"$digest" >"$SCRATCH/layout/index.json"
		fails_with 125 "digest" wherry load "$SCRATCH/layout"
	done
}

# containerd: a document of any size is read whole.
large_documents() {
	mkdir -p "$SCRATCH/large/blobs/sha256"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$SCRATCH/large/oci-layout"
	truncate -s 2G "$SCRATCH/large/index.json"
	(ulimit -v 200000; fails_with 125 "index.json" "$WHERRY" --root "$STORE" load "$SCRATCH/large")
	tar -C "$SCRATCH/large" -S -cf "$SCRATCH/large.tar" oci-layout index.json
	(ulimit -v 200000; fails_with 125 "index.json" "$WHERRY" --root "$STORE" load "$SCRATCH/large.tar")
}

# runc, docker, podman: capabilities that are inheritable come back through a file's.
inheritable() {
	local said
	said=$(capsh --inh=cap_net_raw,cap_sys_admin --addamb= -- -c "$WHERRY --root $STORE --state $STATE run busybox grep CapInh /proc/self/status" 2>&1)
	equal "$said" $'CapInh:\t0000000000000000'
	equal "$(wherry run -u 1000 --cap-add NET_RAW busybox grep CapInh /proc/self/status)" $'CapInh:\t0000000000000000'
}

# Ids for --userns; the file is this mount namespace's own.
BASE_USER=wherry$$
BASE=$SCRATCH/subids
{ cat /etc/subuid 2>/dev/null || [ ! -e /etc/subuid ]; echo "$BASE_USER:300000:65536"; } >"$BASE"
touch /etc/subuid /etc/subgid
mount --bind "$BASE" /etc/subuid
mount --bind "$BASE" /etc/subgid

it "CVE-2023-27561, -2023-28642, -2019-19921: /proc is a link of the image's" proc_is_a_link
it "CVE-2023-25809: control groups can be written to" cgroups_held
it "CVE-2025-31133, -2025-52565, -2025-62161: /dev/null or /dev/console is a link of the image's" dev_null_is_a_link
it "CVE-2025-52881: what is on procfs is replaced" procfs_is_replaced
it "CVE-2022-36109, -2022-2989, -2023-25173: supplementary groups" groups
it "CVE-2024-40635: the number of a user that is too large is root's" large_users
it "CVE-2024-9407: words behind a mount's propagation" propagation_words
it "CVE-2024-9676: the image's list of users is a link, a pipe, endless" user_lists
it "CVE-2023-0778: a volume is filled through a link" volume_copies
it "CVE-2024-3727: a digest that is a path" digests_as_paths
it "CVE-2023-25153: documents of any size" large_documents
it "CVE-2022-24769, -2022-29162, -2022-27649: inheritable capabilities" inheritable
umount /etc/subuid /etc/subgid
finish_clean

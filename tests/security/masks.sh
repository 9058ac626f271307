#!/bin/bash
# What has to be hidden of /proc and /sys is hidden whatever an image and a command line ask for, and in whatever
# combination: each container's own /proc/self/mountinfo is compared with what docker masks.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox

NAME=wherry-masks-${SCRATCH##*.}
trap 'sed -i "/^$NAME:/d" /etc/subuid /etc/subgid; scratch_remove' EXIT
for file in /etc/subuid /etc/subgid; do echo "$NAME:$((200000000 + $$ % 10000 * 65536)):65536" >>"$file"; done
mkdir "$SCRATCH/host" "$SCRATCH/seen"

# Links to where an image would like its volumes, and an image that has volumes in good places.
links() {
	local tree=$SCRATCH/links
	mkdir -p "$tree"
	ln -s /proc "$tree/to-proc"
	ln -s /sys "$tree/to-sys"
	ln -s /srv "$tree/to-srv"
	layer_tar "$tree" "$SCRATCH/links.tar"
}
links

# with_volumes NAME TARGET…: an image whose config asks for them.
with_volumes() {
	local name=$1 volumes
	shift
	volumes=$(printf '"%s": {},' "$@")
	python3 "$TOP/tests/lib/images.py" docker "$SCRATCH/$name.tar" "{\"Volumes\": {${volumes%,}}}" "$name:latest" \
		"$IMAGES/busybox.layers"/*.tar "$SCRATCH/links.tar"
	wherry load -q "$SCRATCH/$name.tar" >/dev/null
}
with_volumes volumes /data /etc /to-srv /dev/in /sys /sys/fs/cgroup

# combine OPTIONS…: each is taken and left out, all with all. Prints the faults, of all containers together.
combine() {
	local n i words
	for ((n = 0; n < 1 << $#; n++)); do
		words=()
		# shellcheck disable=SC2206
		for ((i = 0; i < $#; i++)); do
			if ((n >> i & 1)); then words+=(${*:i+1:1}); fi
		done
		wherry run "${words[@]}" "$image" cat /proc/self/mountinfo >"$SCRATCH/seen/$n ${words[*]//\//_}"
	done
	python3 "$TOP/tests/security/masks.py" held "$SCRATCH/seen"/*
	rm "$SCRATCH/seen"/*
}

mounts() {
	image=$1
	equal "$(combine --read-only "-v $SCRATCH/host:/v:rshared" "--tmpfs /t" "-v named:/n" "-v /own" "-v $SCRATCH/host:/to-srv/in" "--cap-drop ALL")" ""
}

namespaces() {
	image=$1
	equal "$(combine "--network host" "--pid host" "--ipc host" "--uts host" --read-only --no-init "-m 64M")" ""
}

kernels() {
	local inner=/proc/sys/kernel/ns_last_pid
	[ -e "$inner" ] || inner=/proc/sys/crypto/fips_enabled
	[ -e "$inner" ] || inner=/proc/meminfo
	image=busybox
	equal "$(combine "-v /proc:/proc" "-v $SCRATCH/host/file:/proc/uptime" "-v /sys/fs/cgroup:/sys/fs/cgroup" \
		"-v /sys:/sys:ro" "--tmpfs /sys/fs" "-v $SCRATCH/host/file:$inner")" ""
}
echo "emulated" >"$SCRATCH/host/file"

mapped() {
	image=$1
	wherry run --userns "$NAME" busybox true
	equal "$(combine "--userns $NAME" "--network host" --read-only "-v $SCRATCH/host:/v" "--tmpfs /t" "--ipc host" "-v /own")" ""
}

# As an ordinary user, in a user namespace of their own.
rootless() {
	local words
	name=wherry-m-${SCRATCH##*.}
	name=${name,,}
	useradd -M -d "$SCRATCH/home" "$name"
	trap 'userdel "$name"' EXIT
	mkdir "$SCRATCH/home"
	cp "$WHERRY" "$SCRATCH/volumes.tar" "$SCRATCH/home/"
	chmod 755 "$SCRATCH"
	chmod 644 "$SCRATCH/home/volumes.tar"
	chown -R "$name" "$SCRATCH/home"
	for words in "" "--network host" "--pid host" "--network host --pid host" "--network host --read-only --tmpfs /t" \
		"--network host --pid host --ipc host -v /own -v $SCRATCH/home:/v"; do
		# shellcheck disable=SC2086
		setpriv --reuid "$name" --regid "$name" --init-groups env -i HOME="$SCRATCH/home" PATH="$PATH" timeout 60 \
			"$SCRATCH/home/wherry" run $words "$SCRATCH/home/volumes.tar" cat /proc/self/mountinfo \
			>"$SCRATCH/seen/${words//\//_} rootless"
	done
	equal "$(python3 "$TOP/tests/security/masks.py" "$SCRATCH/seen"/*)" ""
}

terminal() {
	script -qec "$WHERRY --root $STORE --state $STATE run -t -v /dev/pts:/dev/pts volumes cat /proc/self/mountinfo" /dev/null \
		</dev/null | tr -d '\r' >"$SCRATCH/terminal"
	equal "$(python3 "$TOP/tests/security/masks.py" held "$SCRATCH/terminal")" ""
	contains "$(cat "$SCRATCH/terminal")" " /dev/console "
}

# Linux before 5.12 has no mount_setattr(2).
old_kernel() {
	local mounted=$SCRATCH/host/in/deep
	mkdir -p "$mounted"
	mount -t tmpfs "outer one" "$SCRATCH/host/in"
	trap 'umount -R "$SCRATCH/host/in"' EXIT
	mkdir "$mounted"
	mount -t tmpfs inner "$mounted"
	strace -f -qq -o /dev/null -e trace=mount_setattr -e inject=mount_setattr:error=ENOSYS \
		"$WHERRY" --root "$STORE" --state "$STATE" run -v "$SCRATCH/host:/a b/c:ro" -v "$SCRATCH/host:/w" -v "$SCRATCH/host/file:/f:ro" volumes \
		cat /proc/self/mountinfo >"$SCRATCH/old"
	equal "$(python3 "$TOP/tests/security/masks.py" held "$SCRATCH/old")" ""
	equal "$(awk '$5 ~ "^/a.040b/c" && $6 ~ /^ro,nodev/ { n++ } END { print n }' "$SCRATCH/old")" 3
	equal "$(awk '$5 ~ "^/w" && $6 ~ /^rw,nodev/ { n++ } END { print n }' "$SCRATCH/old")" 3
	equal "$(awk '$5 == "/f" { print $6 }' "$SCRATCH/old")" ro,nodev,relatime
}

# Without these the list says nothing.
finds_faults() {
	local fault
	wherry run busybox cat /proc/self/mountinfo >"$SCRATCH/good"
	equal "$(python3 "$TOP/tests/security/masks.py" held "$SCRATCH/good")" ""
	wherry run --privileged busybox cat /proc/self/mountinfo >"$SCRATCH/bad"
	contains "$(python3 "$TOP/tests/security/masks.py" held "$SCRATCH/bad")" "/proc/sys is not read-only"
	for fault in "/proc/keys" "/sys/firmware" "/proc/sys"; do
		[ -e "$fault" ] || continue
		grep -v " $fault " "$SCRATCH/good" >"$SCRATCH/bad"
		contains "$(python3 "$TOP/tests/security/masks.py" held "$SCRATCH/bad")" "$fault is not"
	done
	# covered again
	{ cat "$SCRATCH/good"; awk '$5 == "/proc" { $2 = $1; $1 = 99999; print }' "$SCRATCH/good"; } >"$SCRATCH/bad"
	contains "$(python3 "$TOP/tests/security/masks.py" held "$SCRATCH/bad")" "/proc/sys is not read-only"
	contains "$(python3 "$TOP/tests/security/masks.py" "$SCRATCH/good")" "devices at /"
}

it "is told of each mask that is missing or covered" finds_faults
it "masks beside every combination of mounts" mounts busybox
it "masks beside every combination of mounts, with an image's own volumes" mounts volumes
it "masks beside every combination of the host's namespaces" namespaces volumes
it "masks what is mounted on /proc and /sys as docker allows it" kernels
if wherry run --userns "$NAME" busybox true 2>/dev/null; then
	it "masks beside every combination with --userns" mapped volumes
else
	skip "masks beside every combination with --userns" "this kernel cannot map the layers' owners"
fi
it "masks without root, with the host's network and processes" rootless
it "masks behind a terminal" terminal
it "seals each mount by itself where the kernel has no mount_setattr" old_kernel
finish_clean

#!/bin/bash
# timeout: 600
# --userns on a small board's machine: an initramfs, Linux 6.1, cgroup v2; the store on ext4, and where
# owners cannot be mapped. One boot in QEMU runs the script below and shows what it printed.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/images.sh"
. "$TOP/tests/lib/vm.sh"

ROOT=$SCRATCH/root

# Each case prints "=== NAME", its output, and "=== status N".
script() {
	cat <<-'END'
	#!/bin/busybox sh
	say() { echo "=== $1"; shift; "$@" 2>&1; echo "=== status $?"; }
	await() { n=0; while [ $n -lt 300 ]; do "$@" && return; n=$((n + 1)); sleep 0.2; done; }
	mount -t proc proc /proc
	mount -t devtmpfs dev /dev
	mount -t sysfs sys /sys
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	insmod /overlay.ko
	echo boat:100000:65536 >/etc/subuid
	echo boat:200000:65536 >/etc/subgid

	say initramfs /wherry run --userns boat /image.tar true
	await mount -t ext4 /dev/nvme0n1 /mnt
	wherry() { /wherry --root /mnt/store "$@"; }
	say loads wherry load -q /image.tar
	before=$(cat /proc/mounts | wc -l)
	say ids wherry run --userns boat busybox sh -c 'id -u; cat /proc/self/uid_map /proc/self/gid_map; find / -xdev -not -user 0 -not -path /proc -not -path /sys'
	/wherry --root /mnt/store run --name one -m 64M --userns boat busybox sh -c 'echo x >>/etc/motd; rm /srv/message; cat /etc/motd; ls /srv; exec tool -hang' >/out 2>&1 &
	await grep -q x /out
	say outside sh -c 'cat /out; stat -c "%u %g" /proc/$(pidof tool); wc -l </sys/fs/cgroup/wherry-one/cgroup.procs'
	kill $!; wait $!
	say out-of-memory wherry run --userns boat -m 64M busybox tool -mb 200
	say cgroup-view wherry run --userns boat -m 64M busybox sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/memory.max; touch /sys/fs/cgroup/x'
	say kept sh -c '/wherry --root /mnt/store run --userns boat --overlay /mnt/kept busybox touch /file; stat -c "%u %g" /mnt/kept/upper/file'
	say ulimit sh -c 'ulimit -n 64; /wherry --root /mnt/store run --userns boat --ulimit nofile=500:1000 --ulimit core=0 busybox sh -c "ulimit -Sn; ulimit -Hn; ulimit -Hc"'
	say device wherry run --userns boat --device /dev/zero:/zero busybox sh -c 'stat -c "%u %g" /zero; head -c 3 /zero | wc -c'
	say layers sh -c 'find /mnt/store -not -user 0'
	say mounts test "$(cat /proc/mounts | wc -l)" = "$before"
	say left sh -c 'pidof tool wherry-init; ls -d /sys/fs/cgroup/wherry-*; ls -A /run/wherry /mnt/store/tmp'
	umount /mnt
	poweroff -f
	END
}

make_root() {
	local applet modules
	read -r _ modules < <(vm_kernel)
	mkdir -p "$ROOT"/{bin,proc,sys,dev,etc,mnt}
	cp "$(type -P busybox)" "$ROOT/bin/busybox"
	for applet in $(busybox --list | grep -vx busybox); do ln -s busybox "$ROOT/bin/$applet"; done
	cp "$WHERRY" "$modules/kernel/fs/overlayfs/overlay.ko" "$ROOT/"
	cp "$(image busybox docker)" "$ROOT/image.tar"
	script >"$ROOT/init"
	chmod 755 "$ROOT/init"
	truncate -s 64M "$SCRATCH/disk"
	mkfs.ext4 -q "$SCRATCH/disk"
}

boots() {
	make_root
	vm_boot "$ROOT" 'loglevel=1 rdinit=/init' -m 512 -drive "file=$SCRATCH/disk,format=raw,if=none,id=disk" \
		-device nvme,drive=disk,serial=1
	case_of left
}

# case_of NAME: what it printed, and its status on a last line.
case_of() {
	tr -d '\r' <"$VM_LOG" | awk -v name="$1" '
		$0 == "=== " name { inside = 1; found = 1; next }
		inside && /^=== status / { print $3; exit }
		inside { print }
		END { exit !found }'
}

prints() { equal "$(case_of "$1" | tr -s ' ')" "${2:+$2$'\n'}$3"; }

initramfs() {
	prints initramfs "wherry: --userns: map the owners of /var/lib/wherry/layers: Invalid argument
wherry: its file system has to support that: ext4 and XFS do since Linux 5.12, Btrfs since 5.15, F2FS since 5.18, tmpfs since 6.3" 125
}

ids() { prints ids $'0\n 0 100000 65536\n 0 200000 65536' 0; }

outside() { prints outside $'made in a layer\nx\n100000 200000\n2' 0; }

limits() {
	prints out-of-memory "wherry: out of memory: the container reached its limit of 64 MiB" 137
	contains "$(case_of cgroup-view)" $'0::/\n67108864\n'
	contains "$(case_of cgroup-view)" "Read-only file system"
}

# More than whoever runs wherry has: the machine's root may, the container's could not.
ulimits() {
	prints ulimit $'500\n1000\n0' 0
	prints device $'0 0\n3' 0
}

leftovers() {
	prints kept "100000 200000" 0
	prints layers "" 0
	prints mounts "" 0
	contains "$(case_of left)" "ls: /sys/fs/cgroup/wherry-*: No such file or directory"
	equal "$(case_of left | sed 1d)" $'/mnt/store/tmp:\n\n/run/wherry:\n0'
}

it "boots, runs it all and powers off" boots
it "says that an initramfs cannot map owners, and what can" initramfs
it "is root inside, of an image on ext4" ids
it "is nobody outside, and in its cgroup from the start" outside
it "limits memory, and shows the container its own cgroup" limits
it "raises a limit above its caller's, and owns a device" ulimits
it "leaves nothing behind, and the layers as they are" leftovers
finish

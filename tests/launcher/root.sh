#!/bin/bash
# The root file system that a container sees: its layers, its writable layer, /proc, /dev, /etc.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/launch.sh"
load busybox layered many

all_kinds() {
	local kind
	for kind in docker docker-blobs docker-blobs:gzip oci oci:gzip oci:zstd oci-tar oci-tar:zstd; do
		echo "kind $kind"
		equal "$(timeout "$PATIENCE" "$WHERRY" --root "$SCRATCH/kinds/${kind/:/-}" --state "$STATE" \
			run "$(image busybox "$kind")" cat /srv/message)" "from the second layer"
	done
	rm -r "$SCRATCH/kinds"
}

by_path() {
	cp "$(image busybox docker)" "$SCRATCH/here.tar"
	cd "$SCRATCH"
	equal "$(wherry run ./here.tar echo a path)" "a path"
	equal "$(wherry run here.tar echo a file)" "a file"
	rm here.tar
}

tree_of() { find "$1" -printf '%p %y %m %u %g %s %T@ %l\n' | sort | sha256sum; }

plain_directory() {
	local tree before
	tree=$SCRATCH/tree
	cp -a "$(rootfs busybox)" "$tree"
	before=$(tree_of "$tree")
	equal "$(wherry run "$tree" sh -c 'echo x >/new && rm /etc/motd && cat /new')" x
	equal "$(cd "$SCRATCH" && wherry run ./tree cat /etc/motd)" "made in a layer"
	equal "$(tree_of "$tree")" "$before"
}

loads_once() {
	local before
	wherry run "$(image busybox docker)" true
	before=$(tree_of "$STORE/layers")
	wherry run "$(image busybox docker)" true
	equal "$(tree_of "$STORE/layers")" "$before"
}

layers() {
	equal "$(wherry run layered cat /a/over /becomes-file /becomes-dir/in)" $'two\nfile\nin'
	equal "$(wherry run layered ls -A /dir)" $'fresh\nnew'
	equal "$(wherry run layered ls -A /a)" $'linked\nlinked-too\nover'
	equal "$(wherry run layered stat -c %h /a/linked)" 2
	fails_with 1 "No such file" wherry run layered cat /a/deleted
}

many_layers() {
	equal "$(wherry run many sh -c 'cat /count; cat /layers/* | sort -n | paste -sd" " -')" "62
$(seq -s ' ' 3 62)"
}

root_itself() {
	equal "$(wherry run busybox stat -c '%a %u %g' /)" "755 0 0"
	equal "$(wherry run busybox stat -c %Y /)" "1700000000"
}

processes() {
	local seen
	seen=$(wherry run busybox ps -o pid,comm)
	equal "$(sed -n 2p <<<"$seen" | tr -s ' ' | sed 's/^ //')" "1 wherry-init"
	equal "$(wc -l <<<"$seen")" 3
}

namespaces() {
	local kind seen
	seen=$(wherry run busybox sh -c 'cd /proc/self/ns; for n in mnt pid uts ipc cgroup net user; do readlink $n; done')
	for kind in mnt pid uts ipc cgroup net; do
		lacks "$seen" "$(readlink "/proc/self/ns/$kind")"
	done
	contains "$seen" "$(readlink /proc/self/ns/user)"
}

nothing_of_the_host() {
	local seen
	seen=$(wherry run busybox cat /proc/self/mountinfo)
	lacks "$(awk '{ print $4, $5 }' <<<"$seen")" "$SCRATCH"
	equal "$(wherry run busybox ls -A / | paste -sd ' ' -)" "bin dev etc home proc root srv sys tmp var"
	equal "$(awk '$5 == "/" { n++ } END { print n }' <<<"$seen")" 1
	equal "$(awk '$7 != "-"' <<<"$seen" | grep -c 'shared:\|master:' || true)" 0
}

# The classic way out: a directory kept open across chroot.
chroot_escape() {
	local own
	own=$(wherry run busybox ls -A / | sort)
	equal "$(wherry run busybox tool -escape | sort)" "$own"
	lacks "$(wherry run --cap-add SYS_PTRACE busybox sh -c 'ls /proc/1/root/ /proc/1/root/../')" "$(basename "$TOP")"
}

proc_and_sys() {
	local mounts
	mounts=$(wherry run busybox cat /proc/mounts)
	grep -q '^proc /proc proc rw,nosuid,nodev,noexec' <<<"$mounts"
	grep -q '^sysfs /sys sysfs ro,nosuid,nodev,noexec' <<<"$mounts"
	fails_with 1 "Read-only file system" wherry run busybox mkdir /sys/fs/x
}

devices() {
	equal "$(wherry run busybox sh -c 'cd /dev; stat -c "%n %t:%T %a" null zero full random urandom tty')" \
'null 1:3 666
zero 1:5 666
full 1:7 666
random 1:8 666
urandom 1:9 666
tty 5:0 666'
	equal "$(wherry run busybox sh -c 'echo x >/dev/null; head -c 2 /dev/zero | od -An -tx1; head -c 9 /dev/urandom | wc -c')" \
$' 00 00\n9'
	fails_with 1 "No space left" wherry run busybox sh -c 'echo x >/dev/full'
	equal "$(wherry run busybox sh -c 'cd /dev; for n in fd stdin stdout stderr ptmx; do readlink $n; done')" \
$'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx'
	equal "$(wherry run busybox sh -c 'cd /dev; stat -c "%a %F" shm mqueue pts')" \
$'1777 directory\n1777 directory\n755 directory'
	equal "$(wherry run busybox ls /dev | paste -sd ' ' -)" \
		"fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"
}

dev_mounts() {
	local mounts
	mounts=$(wherry run busybox cat /proc/mounts)
	grep -q ' /dev/pts devpts .*ptmxmode=666' <<<"$mounts"
	grep -q ' /dev/shm tmpfs rw,nosuid,nodev,noexec' <<<"$mounts"
	grep -q ' /dev/mqueue mqueue ' <<<"$mounts"
	equal "$(wherry run -u alice busybox sh -c 'echo x >/dev/shm/x && cat /dev/shm/x')" x
}

host_name() {
	equal "$(wherry run --hostname boat busybox hostname)" boat
	equal "$(wherry run --hostname boat busybox cat /etc/hostname)" boat
	contains "$(wherry run --hostname boat busybox cat /etc/hosts)" boat
	[[ $(wherry run busybox hostname) =~ ^[0-9a-f]{12}$ ]]
	fails_with 125 "hostname" wherry run --hostname '' busybox true
	fails_with 125 "hostname" wherry run --hostname "$(printf 'x%.0s' {1..65})" busybox true
}

etc_files() {
	contains "$(wherry run busybox cat /etc/hosts)" $'127.0.0.1\tlocalhost'
	wherry run busybox test -f /etc/resolv.conf
	equal "$(wherry run --network host busybox cat /etc/resolv.conf)" "$(cat /etc/resolv.conf)"
	equal "$(wherry run busybox sh -c 'echo 10.1.1.1 pier >>/etc/hosts; grep -c pier /etc/hosts')" 1
	equal "$(wherry run busybox grep -c pier /etc/hosts || true)" 0
	equal "$(find "$STORE/layers" -path "*/etc/host*" -o -name resolv.conf)" ""
	contains "$(wherry run --read-only --hostname boat busybox cat /etc/hosts)" boat
}

written() {
	equal "$(wherry run busybox sh -c 'echo new >/new; echo over >/etc/motd; cat /new /etc/motd')" $'new\nover'
	equal "$(wherry run busybox cat /etc/motd)" "made in a layer"
	fails_with 1 "No such file" wherry run busybox cat /new
}

in_ram() {
	local seen
	seen=$(wherry run --overlay ram busybox sh -c 'echo x >/x; cat /proc/mounts')
	grep -q '^overlay / overlay rw' <<<"$seen"
	fails_with 1 "No space left" wherry run --overlay ram,size=1M busybox dd if=/dev/zero of=/big bs=1M count=4
	wherry run --overlay ram,size=8M busybox dd if=/dev/zero of=/big bs=1M count=4 2>/dev/null
	fails_with 125 "size=x" wherry run --overlay ram,size=x busybox true
}

on_disk() {
	start disk --overlay disk busybox sh -c 'echo written >/on-disk; cat /proc/mounts; echo ready; exec tool -hang'
	eventually grep -q ready "$SCRATCH/disk"
	grep -q '^overlay / overlay rw.*volatile' "$SCRATCH/disk"
	[ -n "$(find "$STORE" -name on-disk -exec cat {} +)" ]
	kill "$started"
	ends "$started" 143
	equal "$(find "$STORE" -name on-disk)" ""
}

# There may be no store yet: it is made for the layer, and is no more when that has gone.
directory_on_disk() {
	cd "$SCRATCH"
	equal "$(timeout "$PATIENCE" "$WHERRY" --root "$SCRATCH/none" --state "$STATE" run --overlay disk "$(rootfs busybox)" \
		sh -c 'echo written >/on-disk; cat /on-disk')" written
	[ ! -e "$SCRATCH/none" ]
	[ ! -e "(null)" ]
}

in_directory() {
	equal "$(wherry run --overlay "$SCRATCH/kept" busybox sh -c 'echo kept >/new; rm /etc/motd; rm -r /srv; mkdir /srv')" ""
	equal "$(wherry run --overlay "$SCRATCH/kept" busybox sh -c 'cat /new; ls -A /srv; ls /etc')" $'kept\ngroup\nhostname\nhosts\npasswd\nresolv.conf'
	equal "$(wherry run busybox cat /etc/motd)" "made in a layer"
	(cd "$SCRATCH" && equal "$(wherry run --overlay ./kept busybox cat /new)" kept)
}

read_only() {
	fails_with 1 "Read-only file system" wherry run --read-only busybox touch /new
	fails_with 1 "Read-only file system" wherry run --read-only busybox rm /etc/motd
	equal "$(wherry run --read-only --tmpfs /tmp busybox sh -c 'echo x >/tmp/x; cat /tmp/x')" x
	equal "$(wherry run --read-only busybox sh -c 'echo x >/dev/shm/x; cat /dev/shm/x')" x
}

tmpfs() {
	local seen
	seen=$(wherry run --tmpfs /scratch --tmpfs /run/deep:size=1M,mode=700,exec busybox cat /proc/mounts)
	grep -q ' /scratch tmpfs rw,nosuid,nodev,noexec' <<<"$seen"
	grep -q ' /run/deep tmpfs rw,nosuid,nodev,.*size=1024k,mode=700' <<<"$seen"
	lacks "$(grep /run/deep <<<"$seen")" noexec
	fails_with 1 "No space left" wherry run --tmpfs /t:size=1M busybox dd if=/dev/zero of=/t/big bs=1M count=2
	fails_with 125 "/t" wherry run --tmpfs /t:nonsense=1 busybox true
	fails_with 125 "relative" wherry run --tmpfs relative busybox true
}

network_none() {
	local seen
	seen=$(wherry run busybox ip addr)
	equal "$(grep -c '^[0-9]' <<<"$seen")" 1
	contains "$seen" "127.0.0.1/8"
	contains "$seen" "LOOPBACK,UP"
	equal "$(wherry run --network none busybox sh -c 'echo hi | nc -l -p 99 >/tmp/got & sleep 0.3; echo ho | nc 127.0.0.1 99')" hi
}

network_host() {
	equal "$(wherry run --network host busybox readlink /proc/self/ns/net)" "$(readlink /proc/self/ns/net)"
	equal "$(wherry run --network host busybox hostname)" "$(hostname)"
	fails_with 125 "nosuch" wherry run --network nosuch busybox true
}

it "runs every kind of image file" all_kinds
it "takes an image by path, and by a file's name" by_path
it "runs a directory as it stands, and never writes to it" plain_directory
it "loads a file once" loads_once
it "shows upper over lower, whiteouts, opaque directories and replaced types" layers
it "stacks more layers than a page has room for" many_layers
it "gives / the mode, owner and time that the layers gave it" root_itself
it "shows its own processes alone, with wherry-init as PID 1" processes
it "has namespaces of its own" namespaces
it "shows nothing of the host" nothing_of_the_host
it "has no way out by chroot or /proc/1/root" chroot_escape
it "mounts /proc, and /sys read-only" proc_and_sys
it "has the standard nodes in /dev, and no others" devices
it "mounts devpts, shm and mqueue" dev_mounts
it "sets the host name, the short ID by default" host_name
it "provides /etc/hosts, hostname and resolv.conf, outside the layers" etc_files
it "forgets what was written, and never writes to a layer" written
it "--overlay ram: the writable layer is in RAM, and can have a size" in_ram
it "--overlay disk: it is below the store, volatile, and removed at the end" on_disk
it "--overlay disk: a directory's is below the store too, which need not be there" directory_on_disk
it "--overlay DIR: it is kept, and the next run finds it" in_directory
it "--read-only leaves no place to write but its own mounts" read_only
it "--tmpfs mounts an empty one, with docker's options" tmpfs
it "--network none has a loopback that works" network_none
it "--network host is the host's" network_host
finish_clean

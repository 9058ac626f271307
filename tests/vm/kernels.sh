#!/bin/bash
# timeout: 600
# The oldest kernel that wherry promises to run on, 5.10, and a new one: machines of two processors whose
# initramfs holds busybox, wherry and images. One boot of each runs the script below and shows what it printed.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/images.sh"
. "$TOP/tests/lib/vm.sh"

# Each case prints "=== NAME", its output, and "=== status N".
begin() {
	cat <<-'END'
	#!/bin/busybox sh
	say() { echo "=== $1"; shift; "$@" 2>&1; echo "=== status $?"; }
	await() { n=0; while [ $n -lt 300 ]; do "$@" && return; n=$((n + 1)); sleep 0.2; done; }
	wherry() { /wherry --root /store "$@"; }
	for m in $(cat /modules/order); do insmod $m; done
	say bare wherry run /busybox.tar sh -c 'cat /srv/message /proc/1/comm'
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	END
}

script() {
	begin
	cat <<-'END'
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	before=$(cat /proc/mounts | wc -l)
	say limits wherry run -m 64M --memory-swap 96M --pids-limit 20 --cpus 0.5 busybox sh -c 'cd /sys/fs/cgroup; cat memory.max memory.swap.max pids.max cpu.max'
	say cpuset wherry run --cpuset-cpus 1 --cpuset-mems 1 busybox grep _allowed_list /proc/self/status
	say oom wherry run -m 32M --memory-swap 32M --report /report busybox tool -mb 100
	say report grep -e reason -e memory_peak -e oom_kills /report
	say pids wherry run --pids-limit 10 busybox tool -fork 50
	say held wherry run busybox sh -c 'mknod /tmp/v b 259 0; cat /tmp/v; echo x >/dev/null && echo opened'
	say seccomp wherry run busybox sh -c 'grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp'
	say unconfined wherry run --cap-add SYS_ADMIN --security-opt seccomp=unconfined busybox sh -c 'grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp && echo mounted'
	say no-kill wherry run --pid host -m 64M busybox sh -c 'tool -hang & kill -9 $PPID; exec tool -hang'
	say no-kill-left pidof tool
	for program in 'exit 7' 'kill -9 $$'; do say "status-$program" wherry run busybox sh -c "$program"; done
	for program in /none /etc/motd; do say "status-$program" wherry run busybox $program; done

	mkdir -p /data/below; echo data >/data/file
	mount -t tmpfs tmpfs /data/below; echo under >/data/below/file
	say read-only-bind wherry run -v /data:/data:ro busybox sh -c 'cat /data/file; touch /data/new; touch /data/below/new; ls /data/below; grep -c " /data" /proc/mounts'
	say bind wherry run -v /data:/data busybox sh -c 'cat /data/below/file; touch /data/new && ls /data'
	rm /data/new; umount /data/below
	say files wherry run --read-only --tmpfs /t:size=1m --device /dev/zero:/dev/mine busybox sh -c 'touch /x; touch /t/x && echo tmpfs; df /t | tail -n 1 | tr -s " " | cut -d " " -f 2; dd if=/dev/mine bs=1 count=1 2>/dev/null | wc -c'
	say volume sh -c 'w="/wherry --root /store"; $w run -v notes:/srv busybox sh -c "echo kept >/srv/new"; $w run -v notes:/srv busybox cat /srv/message /srv/new; $w volume ls -q'
	say disk wherry run --overlay disk busybox sh -c 'rm /srv/message; echo x >/etc/motd; cat /etc/motd; grep -c "^overlay / .*volatile" /proc/mounts'
	say kept sh -c 'for n in 1 2; do /wherry --root /store run --overlay /kept busybox sh -c "echo $n >>/srv/message; cat /srv/message"; done'
	say privileged wherry run --privileged busybox sh -c 'mount -t tmpfs x /tmp && ls /dev/kmsg'
	say terminal wherry run -t busybox tty
	say sysctl wherry run --sysctl net.ipv4.ip_forward=1 --ulimit nofile=99 busybox sh -c 'cat /proc/sys/net/ipv4/ip_forward; ulimit -n'
	say many-load wherry load -q /many.tar
	say many wherry run many sh -c 'ls /layers | wc -l; cat /count'
	for f in squashfs erofs; do say $f wherry run /busybox.$f /bin/sh -c 'cat /etc/motd; touch /bin/x && echo written'; done
	for n in 1 2; do say place-$n wherry run --no-unpack /busybox.tar sh -c 'cat /srv/message /etc/motd; rm /srv/message && ls /srv'; done
	say place-store sh -c 'ls -d /store/indexes/* | wc -l'
	say fsck wherry fsck

	echo root:100000:65536 >/etc/subuid; cp /etc/subuid /etc/subgid
	echo boat:100000:65536 >>/etc/subuid; echo boat:100000:65536 >>/etc/subgid
	mount -t tmpfs tmpfs /tmp
	say userns /wherry --root /tmp/store run --userns boat /busybox.tar sh -c 'id -u; cat /proc/self/uid_map; cat /srv/message'
	umount /tmp
	mkdir -p /home/alice; chown alice /home/alice
	say user su alice -c '/wherry run /busybox.tar cat /srv/message'
	say user-left sh -c 'ls -A /home/alice/.local/share/wherry/tmp; pidof wherry-init; id alice >/dev/null'

	/wherry --root /store run --name killed -m 64M busybox sh -c 'tool -hang & echo up; exec tool -hang' >/out 2>&1 &
	await grep -q up /out
	kill -9 $!; wait $!
	gone() { ! pidof tool >/dev/null; }
	await gone
	say after-kill wherry run busybox echo next
	say left sh -c 'pidof tool wherry-init; ls -d /sys/fs/cgroup/wherry-*; ls -A /run/wherry /store/tmp'
	say mounts test "$(cat /proc/mounts | wc -l)" = "$before"
	say done true
	poweroff -f
	END
}

# cgroup v1 as old machines have it.
script_v1() {
	begin
	cat <<-'END'
	mount -t tmpfs tmpfs /sys/fs/cgroup
	for c in memory pids cpu cpuset devices; do mkdir /sys/fs/cgroup/$c; mount -t cgroup -o $c cgroup /sys/fs/cgroup/$c; done
	say limits wherry run -m 64M --pids-limit 20 --cpus 0.5 --cpuset-cpus 1 busybox sh -c 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.cfs_quota_us cpuset/cpuset.cpus; grep Cpus_allowed_list /proc/self/status'
	say oom wherry run -m 32M --memory-swap 32M busybox tool -mb 100
	say pids wherry run --pids-limit 10 busybox tool -fork 50
	say held wherry run busybox sh -c 'mknod /tmp/v b 259 0; cat /tmp/v; echo x >/dev/null && echo opened'
	say left sh -c 'ls -d /sys/fs/cgroup/*/wherry-*; ls -A /run/wherry'
	poweroff -f
	END
}

make_root() {
	local root=$1 applet tree
	mkdir -p "$root"/{bin,proc,sys,dev,etc,run,tmp}
	chmod 1777 "$root/tmp"
	cp "$(type -P busybox)" "$root/bin/busybox"
	chmod 755 "$root/bin/busybox"
	for applet in $(busybox --list | grep -vx busybox); do ln -s busybox "$root/bin/$applet"; done
	printf 'root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n' >"$root/etc/passwd"
	cp "$WHERRY" "$root/wherry"
	cp "$(image busybox docker)" "$root/busybox.tar"
	cp "$(image many oci-tar:gzip)" "$root/many.tar"
	chmod 644 "$root/busybox.tar"
	tree=$(rootfs busybox)
	mksquashfs "$tree" "$root/busybox.squashfs" -comp gzip -quiet -no-progress
	mkfs.erofs -Enoinline_data "$root/busybox.erofs" "$tree" >/dev/null
	script >"$root/init"
	script_v1 >"$root/v1"
	chmod 755 "$root/init" "$root/v1"
}

# boots PROGRAM: two processors, each with its own memory.
boots() {
	[ -d "$SCRATCH/$VM_SUITE" ] || make_root "$SCRATCH/$VM_SUITE"
	vm_modules "$SCRATCH/$VM_SUITE/modules" overlay loop squashfs erofs
	vm_boot "$SCRATCH/$VM_SUITE" "loglevel=1 rdinit=$1" -m 768 -smp 2 \
		-object memory-backend-ram,id=a,size=384M -object memory-backend-ram,id=b,size=384M \
		-numa node,memdev=a,cpus=0 -numa node,memdev=b,cpus=1
	prints bare $'from the second layer\nwherry-init' 0
	case_of left
}

is_old() { [ "$VM_SUITE" = bullseye ]; }

limits() {
	prints limits $'67108864\n33554432\n20\n50000 100000' 0
	prints cpuset $'Cpus_allowed_list:\t1\nMems_allowed_list:\t1' 0
	says pids 137 "wherry: out of processes: the container reached its limit of 10"
}

out_of_memory() {
	local peak=33554432
	! is_old || peak=null # memory.peak, Linux 5.19
	prints oom "wherry: out of memory: the container reached its limit of 32 MiB" 137
	prints report "  \"reason\": \"oom\",
  \"memory_peak_bytes\": $peak,
  \"oom_kills\": 1," 0
}

isolation() {
	prints held $'cat: can\'t open \'/tmp/v\': Operation not permitted\nopened' 0
	prints seccomp $'Seccomp:\t2\nmount: permission denied (are you root?)' 1
	prints unconfined $'Seccomp:\t0\nmounted' 0
	prints privileged /dev/kmsg 0
	prints sysctl $'1\n99' 0
}

# cgroup.kill is of Linux 5.14
killed() {
	prints no-kill "wherry: the container's init was killed by signal 9" 137
	prints no-kill-left "" 1
}

statuses() {
	prints "status-exit 7" "" 7
	prints 'status-kill -9 $$' "" 137
	prints status-/none "wherry: run /none: No such file or directory" 127
	prints status-/etc/motd "wherry: run /etc/motd: Permission denied" 126
}

# Without mount_setattr(2), Linux 5.12, each mount below is made read-only by itself.
read_only_binds() {
	prints read-only-bind "data
touch: /data/new: Read-only file system
touch: /data/below/new: Read-only file system
file
2" 0
	prints bind $'under\nbelow\nfile\nnew' 0
}

files() {
	prints files $'touch: /x: Read-only file system\ntmpfs\n1024\n1' 0
	prints volume $'from the second layer\nkept\nnotes' 0
	prints disk $'x\n1' 0
	prints kept $'from the second layer\n1\nfrom the second layer\n1\n2' 0
}

many() { prints many $'60\n62' 0; }

image_files() {
	prints squashfs $'made in a layer\nwritten' 0
	prints erofs $'made in a layer\nwritten' 0
	prints fsck "/store: all that is left is whole" 0
}

# EROFS in a file without a loop device, Linux 6.12; the store is on the initramfs' tmpfs.
in_place() {
	local n
	for n in 1 2; do
		if is_old; then
			prints place-$n "wherry: --no-unpack: the kernel mounts no EROFS from a file: Linux 6.12 or newer does, with CONFIG_EROFS_FS_BACKED_BY_FILE
wherry: run it without --no-unpack" 125
		else
			prints place-$n $'from the second layer\nmade in a layer' 0
		fi
	done
	if is_old; then
		says place-store 0 "No such file" $'\n0'
	else
		prints place-store 1 0
	fi
}

mapped_users() {
	if is_old; then
		prints userns "wherry: --userns: map the owners of /tmp/store/layers: Function not implemented
wherry: it takes mount_setattr(2): Linux 5.12, and 5.19 for overlayfs to go with it" 125
	else
		prints userns $'0\n         0     100000      65536\nfrom the second layer' 0
	fi
}

ordinary_user() {
	if is_old; then
		prints user "wherry: mount overlay on /home/alice/.local/state/wherry/root: Operation not permitted
wherry: without root it wants Linux 5.11 or newer" 125
	else
		prints user "from the second layer" 0
	fi
	prints user-left "" 0
}

terminal() { prints terminal /dev/pts/0 0; }

leftovers() {
	prints after-kill next 0
	prints left $'ls: /sys/fs/cgroup/wherry-*: No such file or directory\n/run/wherry:\n\n/store/tmp:' 0
	prints mounts "" 0
	prints done "" 0
}

old_limits() {
	prints limits $'67108864\n20\n50000\n1\nCpus_allowed_list:\t1' 0
	prints oom "wherry: out of memory: the container reached its limit of 32 MiB" 137
	says pids 137 "wherry: out of processes: the container reached its limit of 10"
	prints held $'cat: can\'t open \'/tmp/v\': Operation not permitted\nopened' 0
	prints left "ls: /sys/fs/cgroup/*/wherry-*: No such file or directory" 0
}

for VM_SUITE in bullseye trixie; do
	if ! kernel=$(vm_kernel 2>"$SCRATCH/why"); then
		skip "runs on the kernel of $VM_SUITE" "$(tail -n 1 "$SCRATCH/why")"
		continue
	fi
	kernel=${kernel##*/}
	it "boots Linux $kernel, runs it all and powers off" boots /init
	it "sets limits on cgroup v2, and keeps to processors and memory nodes" limits
	it "tells when memory ran out" out_of_memory
	it "holds to devices, filters system calls, gives rights where asked" isolation
	it "ends what a container leaves in the machine's PID namespace" killed
	it "runs an archive without unpacking it, or says why not" in_place
	it "passes statuses on" statuses
	it "makes all of a bind read-only" read_only_binds
	it "has --read-only, --tmpfs, --device, volumes and every --overlay" files
	it "stacks sixty layers, more than a page of options holds" many
	it "runs squashfs and EROFS files, and checks its store" image_files
	it "maps users, or says which Linux could" mapped_users
	it "runs for an ordinary user, or says which Linux would" ordinary_user
	it "makes a terminal" terminal
	it "leaves nothing behind" leftovers
	if [ "$VM_SUITE" = bullseye ]; then
		it "boots it again with cgroup v1" boots /v1
		it "limits memory, processes and processors there, and holds to devices" old_limits
	fi
done
finish

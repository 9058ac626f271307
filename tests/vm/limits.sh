#!/bin/bash
# timeout: 600
# Limits and devices on cgroup v2: a machine of its own, with a disk and two processors. One boot runs
# the script below.
. "$(dirname "$0")/../lib/lib.sh"
. "$TOP/tests/lib/images.sh"
VM_SECONDS=400
. "$TOP/tests/lib/vm.sh"

ROOT=$SCRATCH/root

# Each case prints "=== NAME", its output, and "=== status N".
script() {
	cat <<-'END'
	#!/bin/busybox sh
	await() { n=0; while [ $n -lt 300 ]; do "$@" && return; n=$((n + 1)); sleep 0.2; done; }
	say() { echo "=== $1"; shift; "$@" 2>&1; echo "=== status $?"; }
	wherry() { /wherry --root /store --state /state "$@"; }
	for m in overlay virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk loop bfq; do insmod /modules/$m.ko || echo "no $m"; done

	# nothing is mounted: not even /proc
	say nothing wherry run -m 64M --pids-limit 20 /image.tar sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max'
	mount -t devtmpfs dev /dev
	say nothing-held wherry run busybox sh -c 'mknod /tmp/v b 7 0; cat /tmp/v'

	mount -t proc proc /proc
	mount -t sysfs sys /sys
	say nothing-left sh -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup; ls -d /sys/fs/cgroup/wherry*'
	cd /sys/fs/cgroup

	# the limits
	say files wherry run -m 64M --memory-swap 96M --memory-reservation 16M --memory-high 48M --cpu-shares 1024 \
		--cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 1 --cpuset-mems 0 --pids-limit 30 \
		--device-read-bps /dev/vda:1mb --device-write-bps /dev/vda:2mb --device-read-iops /dev/vda:100 --device-write-iops /dev/vda:200 \
		busybox sh -c 'cd /sys/fs/cgroup; for f in memory.max memory.swap.max memory.low memory.high cpu.weight cpu.max cpuset.cpus.effective cpuset.mems pids.max io.max; do echo $f $(cat $f); done'
	say period wherry run --cpu-period 20000 busybox cat /sys/fs/cgroup/cpu.max
	say cpus wherry run --cpus 0.5 busybox cat /sys/fs/cgroup/cpu.max
	for n in 2 100 2000 262144; do say shares-$n wherry run --cpu-shares $n busybox cat /sys/fs/cgroup/cpu.weight; done
	say cpuset wherry run --cpuset-cpus 1 busybox grep Cpus_allowed_list /proc/self/status
	say cpuset-none wherry run --cpuset-cpus 1-9 busybox true
	echo 0 >/sys/devices/system/cpu/cpu1/online
	say cpuset-offline wherry run --cpuset-cpus 0-1 busybox true
	echo 1 >/sys/devices/system/cpu/cpu1/online
	say swappiness wherry run --memory-swappiness 5 busybox true
	say weight-none wherry run --blkio-weight 50 busybox true
	echo bfq >/sys/block/vda/queue/scheduler
	say weight wherry run --blkio-weight 50 busybox cat /sys/fs/cgroup/io.bfq.weight
	echo none >/sys/block/vda/queue/scheduler
	say partition wherry run --device-read-bps /dev/vda1:1mb busybox true
	for rate in 4g 512k; do
		say read-$rate sh -c 'time -p /wherry --root /store --state /state run --device /dev/vda --device-read-bps /dev/vda:'$rate' busybox dd if=/dev/vda of=/dev/null bs=128k count=16 iflag=direct'
	done
	say written wherry run --device /dev/vda --device-write-bps /dev/vda:64mb --report /r busybox dd if=/dev/zero of=/dev/vda bs=64k count=16 oflag=direct
	say written-report grep -e written_bytes /r
	say high wherry run --memory-high 24M -m 256M --memory-swap 256M --report /r busybox timeout -s KILL 3 tool -mb 32 -hang
	say high-report grep -e pressure -e oom_kills /r

	# how it ended
	say oom wherry run -m 32M --memory-swap 32M --report /r busybox tool -mb 100
	say oom-report cat /r
	say pids wherry run --pids-limit 10 --report /r busybox tool -fork 50
	say pids-report grep -e reason -e pids_denied /r
	say pids-enough wherry run --pids-limit 10 --report /r busybox sh -c 'setsid tool -fork 50; exit 0'
	say pids-enough-report grep -e reason -e pids_denied /r
	say throttled wherry run --cpus 0.1 --report /r busybox timeout -s KILL 1 sh -c 'while :; do :; done'
	say throttled-report grep -e throttled /r

	# devices
	say held wherry run busybox sh -c 'mknod /tmp/v b 254 0 && echo made; cat /tmp/v; for n in null zero random urandom tty full ptmx; do [ $n = tty ] || : 3<>/dev/$n || echo no $n; done; mknod /tmp/n c 1 3; echo >/tmp/n && echo opened'
	say capabilities wherry run busybox grep CapEff /proc/self/status
	say given wherry run --device /dev/loop0:/dev/mine/own busybox sh -c 'stat -c "%F %t:%T %a" /dev/mine/own; : 3<>/dev/mine/own && echo opened; mknod /tmp/other b 7 1; cat /tmp/other'
	say given-to-read wherry run --device /dev/vda:r busybox sh -c 'dd if=/dev/vda of=/dev/null bs=512 count=1 && echo read; : 3<>/dev/vda'
	say rule wherry run --device-cgroup-rule 'b 254:* rm' --device-cgroup-rule 'b 7:1 rwm' busybox sh -c 'mknod /tmp/v b 254 0; mknod /tmp/l b 7 1; mknod /tmp/l0 b 7 0; dd if=/tmp/v of=/dev/null bs=512 count=1 && echo read; : 3<>/tmp/l && echo opened; cat /tmp/l0; : 3<>/tmp/v'
	say everything wherry run --device-cgroup-rule 'a *:* rwm' busybox sh -c 'mknod /tmp/v b 254 0; : 3<>/tmp/v && echo opened'
	say privileged wherry run --privileged busybox sh -c ': 3<>/dev/vda && echo opened; ls /dev/loop0 /dev/kmsg; ls /dev/pts'
	say many sh -c 'n=0; while [ $n -lt 40 ]; do /wherry --root /store --state /state run busybox true || echo failed; n=$((n+1)); done; ls -d /sys/fs/cgroup/wherry*'

	# a delegated cgroup
	mkdir -p /home/alice /alice-state; chown alice /home/alice; mkdir user user/shell
	echo "+memory +pids +cpu" >cgroup.subtree_control
	echo 'echo 0 >$1/cgroup.procs && shift && exec su alice -s /bin/sh -c "$*"' >/as
	as() { sh /as "$@"; }
	run='exec /wherry --root /home/alice/store --state /home/alice/state run'
	say foreign as user/shell "$run -m 32M /image.tar true"
	say foreign-none as user/shell "$run /image.tar sh -c 'echo runs; grep CapEff /proc/self/status'"
	for f in . shell; do chown alice user/$f user/$f/cgroup.procs user/$f/cgroup.subtree_control; done
	say delegated as user/shell "$run -m 32M --pids-limit 20 --report /home/alice/r busybox sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /proc/self/cgroup'"
	say delegated-oom as user/shell "$run -m 32M --memory-swap 32M busybox tool -mb 100"
	say delegated-parent ls -d user/*/
	say handed-down as user/shell "$run --cpuset-cpus 1 busybox cat /sys/fs/cgroup/cpuset.cpus"
	echo -cpuset >user/cgroup.subtree_control; echo -cpuset >cgroup.subtree_control
	say lacking as user/shell "$run --cpuset-cpus 1 busybox true"
	# alone in the only one that there is
	mkdir lone; chown alice lone lone/cgroup.procs lone/cgroup.subtree_control
	say lone as lone "$run -m 32M busybox sh -c 'cat /sys/fs/cgroup/memory.max'"
	say lone-front as lone "$run -it -m 32M busybox cat /sys/fs/cgroup/memory.max" </dev/console
	say lone-after sh -c 'cat lone/cgroup.subtree_control; ls -d lone/*/'
	sh /as lone "$run --name lonely -m 32M busybox sh -c 'echo up; exec tool -hang'" >/out &
	lone=$!
	await grep -q up /out
	say lone-during sh -c 'ls -d lone/*/; cat lone/cgroup.procs; wc -l <lone/wherry.lonely/cgroup.procs'
	kill -9 $lone; wait $lone; sleep 0.5
	mkdir lone/next; chown alice lone/next lone/next/cgroup.procs
	say lone-killed as lone/next "$run busybox echo next"
	say lone-swept ls -d lone/*/
	rmdir lone/next; echo -memory >lone/cgroup.subtree_control
	# not alone
	sh -c 'echo 0 >lone/cgroup.procs; exec sleep 1000' &
	await grep -q . lone/cgroup.procs
	say crowded as lone "$run -m 32M busybox true"
	say crowded-cpu as lone "$run --cpus 0.5 busybox true"
	say crowded-none as lone "$run busybox echo runs"
	kill $!

	# in a container, whose own cgroup is all that it sees
	say nested wherry run --privileged --no-init -m 128M -v /wherry:/wherry -v /image.tar:/image.tar --tmpfs /store:mode=700 busybox sh -c 'exec /wherry --root /store --state /state run -m 32M /image.tar sh -c "cat /sys/fs/cgroup/memory.max; mknod /tmp/v b 254 0; cat /tmp/v"'
	say left sh -c 'ls -d /sys/fs/cgroup/wherry* /sys/fs/cgroup/*/wherry*'
	say done true
	poweroff -f
	END
}

make_root() {
	local applet
	mkdir -p "$ROOT"/{bin,proc,sys,dev,modules,etc,tmp}
	cp "$(type -P busybox)" "$ROOT/bin/busybox"
	for applet in sh cat ls wc grep insmod mount mkdir sleep kill poweroff chown su time true; do
		ln -s busybox "$ROOT/bin/$applet"
	done
	printf '%s\n' root:x:0:0::/:/bin/sh alice:x:1000:1000::/home/alice:/bin/sh >"$ROOT/etc/passwd"
	cp "$WHERRY" "$ROOT/wherry"
	cp "$(image busybox docker)" "$ROOT/image.tar"
	chmod 644 "$ROOT/image.tar"
	script >"$ROOT/init"
	chmod 755 "$ROOT/init"
}

boots() {
	local modules
	read -r _ modules < <(vm_kernel)
	make_root
	find "$modules" '(' -name overlay.ko -o -name 'virtio*.ko' -o -name loop.ko -o -name bfq.ko ')' \
		-exec cp {} "$ROOT/modules/" ';'
	truncate -s 8M "$SCRATCH/disk"
	# one partition, from sector 2048 on, 8192 long
	printf '\0\0\0\0\203\0\0\0\0\010\0\0\0\040\0\0' | dd of="$SCRATCH/disk" bs=1 seek=446 conv=notrunc status=none
	printf '\125\252' | dd of="$SCRATCH/disk" bs=1 seek=510 conv=notrunc status=none
	vm_boot "$ROOT" 'loglevel=1 rdinit=/init' -m 512 -smp 2 -drive "file=$SCRATCH/disk,if=virtio,format=raw"
	contains "$(case_of done)" 0
}

held="Operation not permitted"

nothing_mounted() {
	prints nothing $'67108864\n20' 0
	says nothing-held 1 "can't open '/tmp/v': $held"
	prints nothing-left "ls: /sys/fs/cgroup/wherry*: No such file or directory" 1
}

files() {
	prints files "memory.max 67108864
memory.swap.max 33554432
memory.low 16777216
memory.high 50331648
cpu.weight 100
cpu.max 25000 50000
cpuset.cpus.effective 1
cpuset.mems 0
pids.max 30
io.max 254:0 rbps=1048576 wbps=2097152 riops=100 wiops=200" 0
	prints period "max 20000" 0
	prints cpus "50000 100000" 0
}

# What runc 1.3.2 and crun 1.23 make of them.
shares() {
	prints shares-2 1 0
	prints shares-100 17 0
	prints shares-2000 170 0
	prints shares-262144 10000 0
}

cpuset() {
	prints cpuset $'Cpus_allowed_list:\t1' 0
	says cpuset-none 125 "--cpuset-cpus: 1-9 is not what there is here"
	prints cpuset-offline "wherry: --cpuset-cpus: of 0-1 only 0 can be had here" 125
}

no_such_limit() {
	says swappiness 125 "--memory-swappiness" "cgroup v2, which has no such limit"
	says weight-none 125 "--blkio-weight: no disk has a scheduler that heeds weights" "echo bfq"
	prints weight 'default 50' 0
	says partition 125 "--device-read-bps" "never a partition"
}

seconds_of() { case_of "$1" | sed -n 's/^real \([0-9]*\)\..*/\1/p'; }

# Two MiB, at half of one a second.
rates() {
	says read-4g 0 "16+0 records in"
	says read-512k 0 "16+0 records in"
	[ "$(seconds_of read-512k)" -ge $(($(seconds_of read-4g) + 2)) ]
	says written-report 0 '"written_bytes": 1048576,'
}

# So long in its way that it can't have got to all of it.
high() {
	says high 137
	says high-report 0 '"oom_kills": 0,'
	[ "$(case_of high-report | sed -n 's/.*some_us": \([0-9]*\),/\1/p')" -gt 100000 ]
	[ "$(case_of high-report | sed -n 's/.*full_us": \([0-9]*\),\{0,1\}/\1/p')" -gt 100000 ]
}

ended() {
	says oom 137 "out of memory: the container reached its limit of 32 MiB"
	says oom-report 0 '"status": 137,' '"reason": "oom",' '"signal": 9,' '"oom_kills": 1,' '"memory_peak_bytes": 33554432,'
	says pids 137 "out of processes: the container reached its limit of 10"
	says pids-report 0 '"reason": "pids",' '"pids_denied": 1,'
	says pids-enough 0 "Resource temporarily unavailable"
	lacks "$(case_of pids-enough)" "out of processes"
	says pids-enough-report 0 '"reason": "exited",' '"pids_denied": 1,'
	[ "$(case_of throttled-report | sed -n 's/.*us": \([0-9]*\),/\1/p')" -gt 500000 ]
}

devices() {
	prints held "made
cat: can't open '/tmp/v': $held
opened" 0
	prints capabilities $'CapEff:\t00000000a80425fb' 0
	says given 1 "block special file 7:0 600" opened "can't open '/tmp/other': $held"
	says given-to-read 1 read "can't create /dev/vda: $held"
	says rule 1 read opened "can't create /tmp/v: $held" "can't open '/tmp/l0': $held"
	prints everything opened 0
	prints privileged $'opened\n/dev/kmsg\n/dev/loop0\nptmx' 0
	prints many "ls: /sys/fs/cgroup/wherry*: No such file or directory" 1
}

delegated() {
	says foreign 125 "--memory: no cgroup is wherry's to write to, from /sys/fs/cgroup/user/shell up" "Delegate=yes"
	prints foreign-none $'runs\nCapEff:\t00000000a00425fb' 0
	prints delegated $'33554432\n20\n0::/' 0
	says delegated-oom 137 "out of memory: the container reached its limit of 32 MiB"
	prints delegated-parent user/shell/ 0
	prints handed-down 1 0
	says lacking 125 "--cpuset-cpus: /sys/fs/cgroup/user" "has not been given the cpuset controller"
}

lone() {
	prints lone 33554432 0
	prints lone-front 33554432 0
	prints lone-after "ls: lone/*/: No such file or directory" 1
	prints lone-during $'lone/wherry-lonely/  lone/wherry.lonely/\n1' 0
	prints lone-killed next 0
	prints lone-swept lone/next/ 0
}

crowded() {
	says crowded 125 "/sys/fs/cgroup/lone has other processes in it: it cannot hand down the memory controller"
	says crowded-cpu 125 "it cannot hand down the cpu controller"
	prints crowded-none runs 0
}

nested() { says nested 1 33554432 "can't open '/tmp/v': $held"; }

left() {
	says left 1
	lacks "$(case_of left | grep -v "No such file")" wherry
}

it "boots, runs it all and powers off" boots
it "limits, and holds to devices, where not even /proc is mounted" nothing_mounted
it "sets every limit's file" files
it "turns shares into weights" shares
it "keeps to processors, and refuses those that are not there" cpuset
it "says why a limit cannot be enforced" no_such_limit
it "limits a disk's rates, and counts what is written" rates
it "--memory-high slows down, and the report shows the pressure" high
it "tells why it ended" ended
it "holds containers to their devices by a program of the kernel's" devices
it "limits an ordinary user's container in a delegated cgroup, and says what to do without one" delegated
it "moves itself out of its own way, and is swept up after a kill -9" lone
it "leaves other processes where they are" crowded
it "limits in a container, whose cgroup is all that it sees" nested
it "leaves no cgroup" left
finish

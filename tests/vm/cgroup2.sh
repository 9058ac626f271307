#!/bin/bash
# timeout: 600
# A machine of its own, with cgroup v2 and an initramfs that holds busybox, wherry and an image: what
# a small board is. One boot of Debian's kernel in QEMU runs the script below and shows what it printed.
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
	mounts() { busybox cat /proc/mounts | busybox wc -l; }

	say no-overlay /wherry run /image.tar true
	say modules sh -c 'for m in /modules/*.ko; do insmod $m; done'
	say nothing-mounted /wherry run /image.tar sh -c 'cat /srv/message /proc/1/comm; ls /'
	say by-name /wherry run --hostname boat busybox hostname
	say no-proc-limit /wherry run -m 64M busybox cat /sys/fs/cgroup/memory.max
	say escape /wherry run busybox tool -escape

	mount -t proc proc /proc
	mount -t devtmpfs dev /dev
	say no-cgroup-limit /wherry run -m 64M busybox cat /sys/fs/cgroup/memory.max
	say no-cgroup /wherry run busybox sh -c 'echo runs without; ls /sys/fs/cgroup'

	mount -t sysfs sys /sys
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	before=$(mounts)
	say memory /wherry run -m 64M busybox sh -c 'cat /sys/fs/cgroup/memory.max; tool -mb 20'
	say out-of-memory /wherry run -m 64M busybox tool -mb 200
	/wherry run --name greedy -m 64M busybox sh -c 'tool -mb 200; echo "child $?"; exec tool -hang' >/out 2>&1 &
	await grep -q child /out
	say counted sh -c 'cat /out; grep ^oom_kill /sys/fs/cgroup/wherry-greedy/memory.events'
	kill $!; wait $!
	say greedy-status test $? = 143
	/wherry run --name all -m 64M --memory-swap 96M --cpus 0.5 --pids-limit 20 busybox sh -c 'echo up; exec tool -hang' >/out 2>&1 &
	await grep -q up /out
	say files sh -c 'cd /sys/fs/cgroup/wherry-all; cat memory.max memory.swap.max cpu.max pids.max; wc -l <cgroup.procs'
	say protected sh -c 'cat /proc/$(pidof wherry-init)/oom_score_adj /proc/$(pidof tool)/oom_score_adj'
	kill $!; wait $!
	say pids /wherry run --pids-limit 10 busybox tool -fork 50
	say statuses sh -c '/wherry run busybox sh -c "exit 7"; echo $?; /wherry run busybox /none; echo $?'
	say overlay /wherry run busybox sh -c 'echo x >/etc/motd; rm /srv/message; cat /etc/motd; ls /srv'
	say overlay-again /wherry run busybox cat /etc/motd /srv/message
	say cgroup-view /wherry run -m 64M busybox sh -c 'cat /proc/self/cgroup; touch /sys/fs/cgroup/x'

	/wherry run --name killed -m 64M busybox sh -c 'tool -hang & echo up; exec tool -hang' >/out 2>&1 &
	await grep -q up /out
	kill -9 $!; wait $!
	gone() { ! pidof tool >/dev/null; }
	await gone
	say after-kill /wherry run busybox echo next
	say left sh -c 'pidof tool wherry-init; ls -d /sys/fs/cgroup/wherry-*; ls -A /run/wherry'
	say mounts test "$(mounts)" = "$before"
	say done true
	poweroff -f
	END
}

make_root() {
	mkdir -p "$ROOT"/{bin,proc,sys,dev,modules,etc}
	cp "$(type -P busybox)" "$ROOT/bin/busybox"
	for applet in sh cat ls wc grep insmod mount sleep kill test touch pidof poweroff; do
		ln -s busybox "$ROOT/bin/$applet"
	done
	cp "$WHERRY" "$ROOT/wherry"
	cp "$(image busybox docker)" "$ROOT/image.tar"
	script >"$ROOT/init"
	chmod 755 "$ROOT/init"
}

boots() {
	local modules
	read -r _ modules < <(vm_kernel)
	make_root
	cp "$modules/kernel/fs/overlayfs/overlay.ko" "$ROOT/modules/"
	vm_boot "$ROOT" 'loglevel=1 rdinit=/init' -m 512
	contains "$(case_of done)" 0
}

no_overlay() { says no-overlay 125 "wherry: overlayfs: the kernel has no CONFIG_OVERLAY_FS"; }

alone() {
	prints modules "" 0
	says nothing-mounted 0 $'from the second layer\nwherry-init\n'
	prints by-name boat 0
}

no_escape() {
	equal "$(case_of escape | sort | paste -sd ' ')" "0 bin dev etc home proc root srv sys tmp var"
}

# What it mounts is its own: nobody else sees it, and nothing has to be there to mount it on.
no_cgroup() {
	prints no-proc-limit 67108864 0
	prints no-cgroup-limit 67108864 0
	says no-cgroup 0 "runs without" "cgroup.procs"
}

memory() { prints memory $'67108864\nallocated 20 MiB' 0; }

out_of_memory() { says out-of-memory 137 "wherry: out of memory: the container reached its limit of 64 MiB"; }

counted() {
	prints counted $'Killed\nchild 137\noom_kill 1' 0
	prints greedy-status "" 0
}

files() { prints files $'67108864\n33554432\n50000 100000\n20\n2' 0; }

protected() { prints protected $'-999\n0' 0; }

pids() {
	says pids 137 "Resource temporarily unavailable"
	[ "$(case_of pids | sed -n 's/^children \([0-9]*\).*/\1/p')" -lt 10 ]
}

statuses() { prints statuses $'7\nwherry: run /none: No such file or directory\n127' 0; }

layers() {
	prints overlay x 0
	prints overlay-again $'made in a layer\nfrom the second layer' 0
}

own_cgroup() { says cgroup-view 1 "0::/" "Read-only file system"; }

leftovers() {
	prints after-kill next 0
	prints left "ls: /sys/fs/cgroup/wherry-*: No such file or directory" 0
	prints mounts "" 0
	prints done "" 0
}

it "boots, runs it all and powers off" boots
it "names what is missing where the kernel has no overlayfs" no_overlay
it "runs in an initramfs with nothing mounted, from an image file" alone
it "lets nobody out of an initramfs by chroot" no_escape
it "limits where no cgroup is mounted, with a mount of its own" no_cgroup
it "limits memory on cgroup v2, and shows the container its own cgroup" memory
it "says that the container ran out of memory, and exits 137" out_of_memory
it "has memory.events count the kill" counted
it "sets memory.max, cpu.max and pids.max, with both processes inside" files
it "makes the kernel kill the program before its init" protected
it "limits processes" pids
it "passes statuses on" statuses
it "stacks layers, and forgets what was written" layers
it "gives the container a cgroup namespace, read-only" own_cgroup
it "leaves nothing behind kill -9 and the next command" leftovers
finish
